"""The folder of blobs, walked by file descriptor so that no name and no symlink leads out of it.

Jobs write into these folders too, so what lies there is not trusted: symbolic links, pipes and
devices are not blobs, and are neither followed nor opened. All calls block; run them in threads.
"""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lazulite.blobs.contents import FileContents
from lazulite.blobs.errors import BlobError
from lazulite.blobs.values import Stamp

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
FIXED = 2  # leading parts that are not of a blob's name: its account and container
RACES = 100  # times that a delete may take the parent folder away from under one write


class Tree:
    """Files below a root, addressed by their segments: (account, container, *blob name)."""

    def __init__(self, root: Path) -> None:
        """root: exists, and is ours alone above the containers."""
        self.root = root

    @contextmanager
    def folder(self, parts: Sequence[str]) -> Iterator[int]:
        """A descriptor of a folder. Raises OSError, with an errno of ABSENT if it is not one."""
        descriptor = os.open(self.root, FOLDER)
        try:
            for part in parts:
                descriptor = _step(descriptor, part)
            yield descriptor
        finally:
            os.close(descriptor)

    def open(self, parts: Sequence[str]) -> FileContents | None:
        """The file, for reading; None if there is no regular one."""
        descriptor = self._open(parts)
        return None if descriptor is None else FileContents(descriptor)

    def _open(self, parts: Sequence[str]) -> int | None:
        try:
            with self.folder(parts[:-1]) as folder:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe shall not hang us
                descriptor = os.open(parts[-1], flags, dir_fd=folder)
        except OSError as error:
            if error.errno in ABSENT | {errno.ENXIO}:
                return None
            raise
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        return None

    def stamp(self, parts: Sequence[str]) -> Stamp | None:
        """The version of a file; None if there is no regular file."""
        try:
            with self.folder(parts[:-1]) as folder:
                status = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise
        return Stamp.of(status) if stat.S_ISREG(status.st_mode) else None

    def linked(self, parts: Sequence[str]) -> Path:
        """Another name for a file, in the root, under which it can be moved elsewhere."""
        link = self.root / f".way-{uuid.uuid4().hex}"
        with self.folder(parts[:-1]) as folder:
            os.link(parts[-1], link, src_dir_fd=folder, follow_symlinks=False)
        return link

    def restamp(self, parts: Sequence[str], mtime_ns: int) -> None:
        """Give a file another version, durably. Raises FileNotFoundError."""
        descriptor = self._open(parts)
        if descriptor is None:
            raise FileNotFoundError(errno.ENOENT, "no such blob", "/".join(parts))
        try:
            os.utime(descriptor, ns=(mtime_ns, mtime_ns))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def append(self, source: Path, parts: Sequence[str], after: Stamp) -> None:
        """Write a staged file behind the end of a file, in place, and give that its new version.

        Durable on return. Raises FileNotFoundError.
        """
        data_size = source.stat().st_size
        with self.folder(parts[:-1]) as folder:
            target = os.open(parts[-1], os.O_WRONLY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            os.lseek(target, after.size - data_size, os.SEEK_SET)
            with source.open("rb") as file:
                while data := file.read(1 << 20):
                    write_all(target, data)
            os.utime(target, ns=(after.mtime_ns, after.mtime_ns))
            os.fsync(target)
        finally:
            os.close(target)

    def cut_back(self, parts: Sequence[str], before: Stamp) -> None:
        """Undo an append that a crash interrupted: the file is as it was before."""
        with self.folder(parts[:-1]) as folder:
            target = os.open(parts[-1], os.O_WRONLY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            os.ftruncate(target, before.size)
            os.utime(target, ns=(before.mtime_ns, before.mtime_ns))
            os.fsync(target)
        finally:
            os.close(target)

    def move_in(self, source: Path, parts: Sequence[str]) -> None:
        """Rename a staged file to its place, durably; missing folders are made.

        Raises FileNotFoundError without its container, and BlobError if a folder is where the file
        must be, or a file where a folder must be.
        """
        for _ in range(RACES):
            try:
                return self._move_in(source, parts)
            except FileNotFoundError:
                if not self.is_folder(parts[:FIXED]):
                    raise
            except OSError as error:
                if error.errno in {errno.EISDIR, errno.ENOTDIR, errno.ELOOP}:
                    raise _conflict(parts) from error
                raise
        raise FileNotFoundError(errno.ENOENT, "its folder keeps vanishing", "/".join(parts))

    def remove(self, parts: Sequence[str]) -> None:
        """Delete a file, durably, and the folders below its container that it leaves empty."""
        with self.folder(parts[:-1]) as folder:
            os.unlink(parts[-1], dir_fd=folder)
            os.fsync(folder)
        for depth in range(len(parts) - 2, FIXED - 1, -1):
            try:
                with self.folder(parts[:depth]) as folder:
                    os.rmdir(parts[depth], dir_fd=folder)
            except OSError:
                return  # not empty, or gone already: both are well

    def is_folder(self, parts: Sequence[str]) -> bool:
        """Whether a real folder is there."""
        try:
            with self.folder(parts):
                return True
        except OSError as error:
            if error.errno in ABSENT:
                return False
            raise

    def _move_in(self, source: Path, parts: Sequence[str]) -> None:
        """One attempt. Raises FileNotFoundError when a delete removed an empty parent meanwhile."""
        descriptor = os.open(self.root, FOLDER)
        try:
            for depth, part in enumerate(parts[:-1]):
                if depth >= FIXED:
                    make_folder(descriptor, part)
                descriptor = _step(descriptor, part)
            os.rename(source, parts[-1], dst_dir_fd=descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write, however many calls it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def make_folder(parent: int, name: str) -> bool:
    """Create a folder, durably, below a descriptor; False if the name is taken."""
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return False
    os.fsync(parent)
    return True


def _step(parent: int, name: str) -> int:
    """From a folder's descriptor to that of a folder in it; the first is closed on success."""
    below = os.open(name, FOLDER, dir_fd=parent)
    os.close(parent)
    return below


def _conflict(parts: Sequence[str]) -> BlobError:
    name = "/".join(parts[2:])
    message = f"Blob {name!r}: a folder has its name, or a blob has the name of its folder."
    return BlobError("ResourceTypeMismatch", message)
