"""The guard of a compute node: outlives its death just long enough to kill what it had started.

A node killed by SIGKILL cannot clean up. The kernel then ends its workers (PR_SET_PDEATHSIG), but
not the processes these have started; those share their group, and the guard knows the groups.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO

_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Guard:
    """A process that kills the listed groups when this process ends, whatever ends it."""

    def __init__(self) -> None:
        """Fork it. Call while there is one thread."""
        self.pid, self._writing = post_guard(_kill_listed)

    def add(self, group: int) -> None:
        """Kill this group when the time comes."""
        os.write(self._writing, b"+%d\n" % group)

    def discard(self, group: int) -> None:
        """The group is dead; its number may be reused by others."""
        os.write(self._writing, b"-%d\n" % group)


def post_guard(duty: Callable[[IO[bytes]], None]) -> tuple[int, int]:
    """Fork a process that survives this one's end. Call while there is one thread.

    duty: what it does there with the lines that are written to it; they end when this process
    does. Returns its pid and the descriptor to write to.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(reading)
        return pid, writing
    try:
        # Its own session: a kill of the whole group must not take the guard along.
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.closerange(reading + 1, os.sysconf("SC_OPEN_MAX"))
        os.closerange(3, reading)
        with os.fdopen(reading, "rb") as lines:
            duty(lines)
    finally:
        os._exit(0)


def die_with_parent(parent: int) -> Callable[[], None]:
    """What a child calls before exec so that the kernel kills it when its parent `parent` ends."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl if _LINUX else None

    def arm() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return arm


def adopt_orphans() -> None:
    """Have orphaned descendants become children of this process, where the system can do that."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_children(*, spare: int) -> None:
    """SIGKILL and reap every child but one, and theirs as they are orphaned, until none is left."""
    while others := [pid for pid in _children() if pid != spare]:
        for pid in others:
            os.kill(pid, signal.SIGKILL)
        for pid in others:
            os.waitpid(pid, 0)


def reap_orphans(*, spare: Collection[int]) -> None:
    """Bury the children that have ended and that nobody else waits for. Never waits."""
    for pid in _children():
        if pid not in spare:
            os.waitpid(pid, os.WNOHANG)


def kill_group(group: int) -> None:
    """SIGKILL a process group; no error if it is gone."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _children() -> list[int]:
    """The children of this thread; none where nothing is adopted."""
    if not _LINUX:
        return []
    listing = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    return [int(pid) for pid in listing.read_text().split()]


def _kill_listed(lines: IO[bytes]) -> None:
    """Follow the list until its writer is gone, then act on it."""
    groups = set[int]()
    for line in lines:
        change = groups.add if line.startswith(b"+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        kill_group(group)
