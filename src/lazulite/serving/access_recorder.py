"""From HAProxy's pipe to numbered files, which whoever reads them removes.

HAProxy never waits: what finds the pipe full is dropped and counted there. The files are bounded,
too: while nobody reads, the oldest give way, and a line says how many lines went with them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from lazulite.serving.access_log import LOST

SEGMENT_BYTES = 4 << 20
MOST_SEGMENTS = 32
_PIPE_BYTES = 1 << 20
_PAUSE_S = 0.1
"""Between two looks into the pipe: a wake-up for each request would cost more than its line."""


def segments(folder: Path) -> list[Path]:
    """The files, oldest first."""
    return sorted(path for path in folder.glob("*.log") if path.stem.isdecimal())


class AccessRecorder:
    """Both ends of the pipe, and the file being written. Its owner calls tend() when it is due."""

    def __init__(self, folder: Path | None) -> None:
        """folder: for the files, made if need be; None: lines are dropped."""
        self._folder = folder
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        with contextlib.suppress(OSError):  # an unprivileged user may have used up their pipes
            fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        found = []
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = segments(folder)
        self._number = int(found[-1].stem) + 1 if found else 1
        self._written = self._lost = 0
        self._due = 0.0

    def fileno(self) -> int:
        """The end to read from."""
        return self._reader

    def heard(self) -> None:
        """There is something in the pipe: fetch it in a moment, with what follows."""
        self._due = time.monotonic() + _PAUSE_S

    @property
    def patience_s(self) -> float | None:
        """Seconds until tend() is due; None while the pipe is empty."""
        return max(0.0, self._due - time.monotonic()) if self._due else None

    def tend(self) -> bool:
        """Write what is in the pipe, if it is due; True if it was."""
        if not self._due or time.monotonic() < self._due:
            return False
        self._due = 0.0
        self.drain()
        return True

    def drain(self) -> None:
        """Write what is in the pipe. On a full disk, lines are dropped and counted."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._reader, _PIPE_BYTES):
                self._write(data)

    def close(self) -> None:
        """Write what is left, and give back the descriptors."""
        self.drain()
        os.close(self._reader)
        os.close(self.writer)

    def _write(self, data: bytes) -> None:
        if self._folder is None:
            return
        notice = LOST + b"%d\n" % self._lost if self._lost else b""
        path = self._folder / f"{self._number:012d}.log"
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
                file.write(notice + data)
        except OSError:
            self._lost += data.count(b"\n")
            return
        self._lost = 0
        self._written += len(data)
        if self._written >= SEGMENT_BYTES:
            self._number, self._written = self._number + 1, 0
            self._drop_oldest(self._folder)

    def _drop_oldest(self, folder: Path) -> None:
        for path in segments(folder)[:-MOST_SEGMENTS]:
            with contextlib.suppress(FileNotFoundError):  # it is being read, and removed
                self._lost += path.read_bytes().count(b"\n")
                path.unlink()
