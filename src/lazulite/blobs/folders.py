"""The local back end: containers are folders, and copies of blobs lie in a private one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from lazulite.blobs.aside import Aside
from lazulite.blobs.back_end import BackEnd, Parts
from lazulite.blobs.contents import FileContents
from lazulite.blobs.errors import BlobError
from lazulite.blobs.folder_names import FolderNames
from lazulite.blobs.listing import Merged, Query, merged
from lazulite.blobs.local_files import LocalFiles
from lazulite.blobs.staging import Piece, Staging
from lazulite.blobs.tree import Tree, make_folder
from lazulite.blobs.values import Stamp
from lazulite.blobs.walk import Walk
from lazulite.store.files import make_folder_durably, sync_directory


def local_folders(root: Path, staging: Staging) -> BackEnd:
    """Blobs as plain files below a folder, on the file system of what is staged."""
    tree, aside = Tree(root), Aside(root / ".aside")
    files = LocalFiles(tree, aside)
    return BackEnd(
        partial(_start, root, files),
        files,
        Folders(tree, aside, staging),
        Copies(root / ".snapshots", files, staging),
    )


def _start(root: Path, files: LocalFiles) -> None:
    """Make the root, and finish what a crash interrupted."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for link in root.glob(".way-*"):
        link.unlink()
    files.start()


class Folders:
    """Containers. A folder that other hands made is one as well."""

    def __init__(self, tree: Tree, aside: Aside, staging: Staging) -> None:
        """tree: of the blobs; aside: the other ones; staging: where what is deleted goes first."""
        self._tree, self._aside, self._staging = tree, aside, staging
        self._known = FolderNames()

    def has(self, parts: tuple[str, str]) -> bool:
        """Whether a real folder is there."""
        return self._tree.is_folder(parts)

    def make(self, parts: tuple[str, str]) -> bool:
        """Make the folder, and that of its account. What other hands deleted does not come back."""
        account, container = parts
        with self._aside.alone(parts):
            if not self._tree.is_folder(parts):
                self._forget_aside(parts)
            with self._tree.folder(()) as root:
                make_folder(root, account)
            with self._tree.folder((account,)) as folder:
                return make_folder(folder, container)

    def modified(self, parts: tuple[str, str]) -> datetime | None:
        """When a blob or folder was last added or removed."""
        if not self._tree.is_folder(parts):
            return None
        with self._tree.folder(parts) as folder:
            return datetime.fromtimestamp(int(os.fstat(folder).st_mtime), UTC)

    def remove(self, parts: tuple[str, str]) -> None:
        """In one step: no half of it is ever seen, and a crash leaves none."""
        with self._aside.alone(parts):
            grave = self._staging.bury(self._tree.root.joinpath(*parts))
            sync_directory(self._tree.root / parts[0])
            self._forget_aside(parts)
        shutil.rmtree(grave, ignore_errors=True)

    def _forget_aside(self, parts: tuple[str, str]) -> None:
        """Durably. Only while the container is not there: what is aside goes with it."""
        folder = self._aside.tree.root.joinpath(*parts)
        self._aside.forget(parts)
        if folder.is_dir():
            self._staging.take_away(folder)
            sync_directory(folder.parent)

    def names(self, account: str) -> list[str]:
        """The folders of an account."""
        if not self._tree.is_folder((account,)):
            return []
        with self._tree.folder((account,)) as folder, os.scandir(folder) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))

    def walk(self, parts: tuple[str, str], query: Query) -> Merged:
        """Folder by folder, with the blobs aside in between."""
        walk = Walk(self._tree, parts, query, self._known)
        return Merged(walk, merged(self._aside.found(parts, query), walk))


class Copies:
    """Snapshots as files. A copy is synced to its place before it is acknowledged."""

    def __init__(self, root: Path, files: LocalFiles, staging: Staging) -> None:
        """root: on the file system of the blobs; ours alone."""
        self._root, self._files, self._staging = root, files, staging

    def take(self, parts: Sequence[str], stamp: Stamp, place: Parts) -> None:
        """Copy through a staged file, which is renamed to its place."""
        staged = self._copied(parts, stamp)
        path = self._root.joinpath(*place)
        try:
            make_folder_durably(path.parent)
            staged.replace(path)
            sync_directory(path.parent)
        finally:
            staged.unlink(missing_ok=True)

    def open(self, place: Parts) -> FileContents | None:
        """Open the file."""
        try:
            return FileContents(os.open(self._root.joinpath(*place), os.O_RDONLY))
        except FileNotFoundError:
            return None

    def remove(self, place: Parts) -> None:
        """Make the file or the folder vanish in one step."""
        self._staging.take_away(self._root.joinpath(*place))

    def keep_only(self, known: set[tuple[str, str]]) -> None:
        """Remove the other files, and the folders that they leave empty."""
        for path in self._root.glob("*/*/*/*"):
            if (path.parent.name, path.name) not in known:
                path.unlink()
        for folder in self._root.glob("*/*/*"):
            if not any(folder.iterdir()):
                shutil.rmtree(folder)

    def _copied(self, parts: Sequence[str], stamp: Stamp) -> Path:
        """A staged copy. Raises BlobError if that version is gone."""
        source = self._files.open(parts)
        if source is not None:
            try:
                if source.stamp == stamp:
                    return self._staging.join([Piece(source, 0, stamp.size)]).path
            finally:
                source.close()
        raise BlobError("InvalidBlobOrBlock", "The blob was changed meanwhile.")
