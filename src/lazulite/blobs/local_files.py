"""The blobs of the local back end: plain files that jobs use in place, and a few aside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from lazulite.blobs.aside import Aside
from lazulite.blobs.contents import FileContents
from lazulite.blobs.errors import BlobError
from lazulite.blobs.tree import FIXED, Tree
from lazulite.blobs.values import Stamp

SEGMENT_BYTES = 255
LONGEST_PATH = 4095  # bytes; jobs open blobs by their whole path


class LocalFiles:
    """The current version of every blob."""

    def __init__(self, tree: Tree, aside: Aside) -> None:
        """tree: of the plain files; both on one file system."""
        self.root, self._tree, self._aside = tree.root, tree, aside
        self._longest = LONGEST_PATH - len(os.fsencode(tree.root)) - 1

    def start(self) -> None:
        """Finish what a crash interrupted. Before any other call."""
        for container in self._aside.containers():
            if not self._tree.is_folder(container):
                shutil.rmtree(self._aside.tree.root.joinpath(*container))
        self._aside.start()
        for parts in filter(self._fits, self._aside.all()):
            if self._tree.stamp(parts) == self._aside.tree.stamp(self._aside.place(parts)):
                self._tree.remove(parts)  # it had not quite made way

    def check(self, parts: Sequence[str]) -> None:
        """Every name can be kept."""

    def stamp(self, parts: Sequence[str]) -> Stamp | None:
        """The version of the file."""
        tree, place = self._placed(parts)
        return tree.stamp(place)

    def open(self, parts: Sequence[str]) -> FileContents | None:
        """Open the file."""
        tree, place = self._placed(parts)
        return tree.open(place)

    def move_in(self, source: Path, parts: Sequence[str]) -> None:
        """Rename a staged file to its place; one whose name is a folder's goes aside.

        Raises FileNotFoundError without its container, and BlobError if a file has the name of one
        of its folders: see make_way().
        """
        if not self._is_plain(parts):
            self._move_aside(source, parts)
            return
        try:
            self._tree.move_in(source, parts)
        except BlobError:
            if not self._tree.is_folder(parts):
                raise
            self._move_aside(source, parts)

    def make_way(self, parts: Sequence[str]) -> None:
        """Move a plain file aside, so that a folder can have its name. Its version stays.

        Safe to repeat after a crash. Nothing for what is no file. Under the blob's lock.
        """
        with self._aside.alone((parts[0], parts[1])):
            if self._tree.stamp(parts) is None:
                return
            if not self._aside.has(parts):
                self._aside.move_in(self._tree.linked(parts), parts)
            self._tree.remove(parts)

    def append(self, source: Path, parts: Sequence[str], after: Stamp) -> None:
        """Write behind the end of the file."""
        tree, place = self._placed(parts)
        tree.append(source, place, after)

    def cut_back(self, parts: Sequence[str], before: Stamp) -> None:
        """Undo an append."""
        tree, place = self._placed(parts)
        tree.cut_back(place, before)

    def restamp(self, parts: Sequence[str], mtime_ns: int) -> None:
        """Give the file another version."""
        tree, place = self._placed(parts)
        tree.restamp(place, mtime_ns)

    def remove(self, parts: Sequence[str]) -> None:
        """Delete the file, and folders that it leaves empty."""
        if self._aside.has(parts):
            with self._aside.alone((parts[0], parts[1])):
                self._aside.remove(parts)
        else:
            self._tree.remove(parts)

    def _move_aside(self, source: Path, parts: Sequence[str]) -> None:
        with self._aside.alone((parts[0], parts[1])):
            if not self._tree.is_folder(parts[:FIXED]):
                raise FileNotFoundError("there is no container " + parts[1])
            self._aside.move_in(source, parts)

    def _placed(self, parts: Sequence[str]) -> tuple[Tree, Sequence[str]]:
        if self._is_plain(parts):
            return self._tree, parts
        return self._aside.tree, self._aside.place(parts)

    def _is_plain(self, parts: Sequence[str]) -> bool:
        """Whether a file has the name, or would get it."""
        return self._fits(parts) and not self._aside.has(parts)

    def _fits(self, parts: Sequence[str]) -> bool:
        """Whether a file can have the name."""
        if not all(parts) or len("/".join(parts).encode()) > self._longest:
            return False
        return all(len(part.encode()) <= SEGMENT_BYTES for part in parts)
