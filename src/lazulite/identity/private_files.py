"""Files that hold secrets: created once and whole, readable by their owner only, else refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lazulite.core.errors import LazuliteError
from lazulite.store.files import sync_directory

_LARGEST = 64 * 1024  # bytes; every file of this kind is far smaller


class UnusableFileError(LazuliteError):
    """A secret file that the server must not use, with what to do about it."""

    def __init__(self, path: Path, problem: str, remedy: str) -> None:
        """problem: continues the sentence "<path> ..."; remedy: a whole sentence."""
        super().__init__("UnusableSecretFile", f"{path} {problem}. {remedy}", target=str(path))


def check_private_folder(folder: Path) -> None:
    """Raises UnusableFileError unless it is a real folder of ours that nobody else may enter."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UnusableFileError(folder, "is not a folder", "Remove it, or choose another folder.")
    _check_owner(folder, found, "chmod 700")


def create_private(path: Path, data: bytes) -> None:
    """Create the file (0600), durably and whole. Raises FileExistsError; replaces nothing.

    A crash leaves no file of that name, or the whole one; the next call clears what else it left.
    """
    new = unfinished(path)
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(new, path)  # unlike a rename, this cannot replace a file
    finally:
        new.unlink()
    sync_directory(path.parent)


def unfinished(path: Path) -> Path:
    """Where create_private() prepares the file; after a crash it may still be there."""
    return path.with_name(f".{path.name}.new")


def read_private(path: Path) -> bytes:
    """The contents. Raises UnusableFileError if empty, a link, not ours, or open to others.

    Raises FileNotFoundError if there is none.
    """
    if path.is_symlink():
        raise UnusableFileError(path, "is a symbolic link", "Put the file itself there.")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise UnusableFileError(path, "is not a plain file", "Restore it from a backup.")
        _check_owner(path, found, "chmod 600")
        data = file.read(_LARGEST + 1)
    if not data.strip() or len(data) > _LARGEST:
        problem = "is empty" if not data.strip() else "is too large for what it should hold"
        raise UnusableFileError(path, problem, "Restore it from a backup.")
    return data


def _check_owner(path: Path, found: os.stat_result, remedy: str) -> None:
    if found.st_uid != os.geteuid():
        problem = f"belongs to user {found.st_uid}, but the server runs as user {os.geteuid()}"
        raise UnusableFileError(path, problem, "Start the server as its owner, or change that.")
    if found.st_mode & 0o077:
        problem = f"can be used by others (mode {stat.S_IMODE(found.st_mode):04o})"
        advice = f"If nobody else can have read it, run: {remedy} {path}"
        raise UnusableFileError(path, problem, advice)
