"""What processes use of this machine, read from /proc."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(NamedTuple):
    """Of a process and all that it started."""

    cpu_s: float
    """Since their beginning."""
    memory: int
    """Resident bytes; what they share counts more than once."""


def usage_of(pids: Collection[int], proc: Path = Path("/proc")) -> dict[int, Usage]:
    """By process, with its descendants; one that has gone has no entry."""
    if not pids:
        return {}
    parents: dict[int, int] = {}
    own: dict[int, Usage] = {}
    for path in proc.glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        own[pid] = Usage((int(fields[11]) + int(fields[12])) / _TICK, int(fields[21]) * _PAGE)
    found = {pid: Usage(0.0, 0) for pid in pids if pid in own}
    for pid, usage in own.items():
        for above in _line(pid, parents):
            if above in found:
                sums = found[above]
                found[above] = Usage(sums.cpu_s + usage.cpu_s, sums.memory + usage.memory)
    return found


def _line(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    """A process and those above it. What was read at different moments may go in a circle."""
    seen: set[int] = set()
    while pid and pid not in seen:
        seen.add(pid)
        yield pid
        pid = parents.get(pid, 0)


def memory_total() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * _PAGE


def disk_percent(folder: Path) -> float:
    """How full the disk of a folder is."""
    disk = shutil.disk_usage(folder)
    return 100.0 * (disk.total - disk.free) / disk.total
