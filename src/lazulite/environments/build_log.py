"""The log of one build, and the programs whose output goes into it."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lazulite.environments.written import without_credentials

MAX_SIZE = 16 << 20  # bytes; a log that has grown beyond is started anew
_TAIL = 4000  # lines kept in memory for the diagnosis
_PR_SET_PDEATHSIG = 1


class BuildLog:
    """A file that grows line by line while readers follow it. URLs lose their credentials."""

    def __init__(self, file: IO[bytes]) -> None:
        """file: unbuffered, opened for appending."""
        self._file = file
        self._tail: deque[str] = deque(maxlen=_TAIL)

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[BuildLog]:
        """The log at the path; earlier builds' lines stay in front."""
        is_full = path.exists() and path.stat().st_size > MAX_SIZE
        with path.open("wb" if is_full else "ab", buffering=0) as file:
            yield cls(file)

    def say(self, line: str) -> None:
        """Add a line."""
        safe = without_credentials(line.rstrip("\n"))
        self._tail.append(safe)
        self._file.write(safe.encode(errors="replace") + b"\n")

    def run(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        descriptors: Sequence[int] = (),
        *,
        hold: int,
    ) -> list[str]:
        """Run a program to its end, its output line by line into the log; returns that output.

        descriptors: what it inherits. hold: one that it and its children keep open, such as that of
        a lock: as long as one of them lives, it stays locked. It is killed if this process dies.
        Raises CalledProcessError, with the last lines of output, for an exit code other than 0.
        """
        self._tail.clear()
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            pass_fds=(hold, *descriptors),
            preexec_fn=_die_with_parent,  # safe: a build task has one thread
        ) as process:
            try:
                for raw in process.stdout or ():
                    self.say(raw.decode(errors="replace"))
            except BaseException:
                process.kill()
                raise
        lines = list(self._tail)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, "\n".join(lines))
        return lines


def _die_with_parent() -> None:
    """Let a build that is killed take its installer along. On Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
