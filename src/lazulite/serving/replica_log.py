"""The log file of a replica: appended to by the replica itself, cut to size by the keeper."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO


class ReplicaLog:
    """One file, and one older beside it (`.1`)."""

    def __init__(self, path: Path, limit: int) -> None:
        """limit: bytes at which the file is moved to the older one."""
        self.path = path
        self._limit = limit

    def open(self) -> BinaryIO:
        """The file, to append to. The replica writes to it directly, not through the keeper."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        return os.fdopen(os.open(self.path, flags, 0o600), "ab")

    def size(self) -> int:
        """Bytes written so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def text_from(self, offset: int, limit: int) -> str:
        """The last `limit` bytes of what was written after the offset."""
        if self.size() <= offset:
            return ""
        with self.path.open("rb") as file:
            file.seek(max(offset, self.size() - limit))
            return file.read(limit).decode("utf-8", "replace")

    def rotate(self) -> None:
        """If it is too long, copy the file to the older one and empty it.

        A copy, since the writers keep their descriptors; a line that is written between the copy
        and the cut, a matter of microseconds, is lost. Without room for a copy there is none.
        """
        if self.size() <= self._limit:
            return
        with contextlib.suppress(OSError):
            shutil.copyfile(self.path, self.path.with_name(self.path.name + ".1"))
        os.truncate(self.path, 0)
