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

_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Guard:
    """A process that kills the listed groups when this process ends, whatever ends it."""

    def __init__(self) -> None:
        """Fork it. Call while there is one thread and no descriptor the guard must not keep."""
        reading, self._writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._writing)
            _stand_guard(reading)
        os.close(reading)

    def add(self, group: int) -> None:
        """Kill this group when the time comes."""
        os.write(self._writing, b"+%d\n" % group)

    def discard(self, group: int) -> None:
        """The group is dead; its number may be reused by others."""
        os.write(self._writing, b"-%d\n" % group)


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


def _stand_guard(reading: int) -> None:
    """Follow the list until the node's end of the pipe is closed, then act on it. Never returns."""
    # Its own session: a kill of the node's whole group must not take the guard along.
    os.setsid()
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    groups = set[int]()
    with os.fdopen(reading, "rb") as lines:
        for line in lines:
            change = groups.add if line.startswith(b"+") else groups.discard
            change(int(line[1:]))
    for group in groups:
        kill_group(group)
    os._exit(0)
