"""Durable files: what these functions return from has reached the disk, whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def sync_directory(folder: Path) -> None:
    """Make the names in a folder durable: a rename survives power loss only after this."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder_durably(folder: Path) -> None:
    """Make a private folder, and those above it, as far as they are missing."""
    if folder.is_dir():
        return
    make_folder_durably(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_directory(folder.parent)


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace the file in one step; a reader or a crash sees the old bytes or the new ones.

    Durable on return. Leaves nothing behind on failure; raises OSError (ENOSPC and the like).
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the file's lock: whoever comes second waits. Yields the lock's descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Replace the file by the value as JSON, atomically and durably."""
    write_atomically(path, json.dumps(value, separators=(",", ":")).encode())


def read_json(path: Path) -> Any:
    """The value in the file; None if there is no such file. Raises ValueError on broken JSON."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
