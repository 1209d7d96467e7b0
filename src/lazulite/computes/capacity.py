"""What this machine has, and what a node of an Azure size gets of it.

Sizes never refuse by name: a size that the machine cannot hold gets all of the machine, and a name
that is not known here, too. Source: spec/REST.md 7.2 (VM size), DESIGN: Compute.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


@dataclasses.dataclass(frozen=True)
class Machine:
    """What there is. cores: those that processes may use; memory_gb: GiB."""

    cores: int
    memory_gb: float


@dataclasses.dataclass(frozen=True)
class Size:
    """A virtual machine size of Azure. memory_gb: GiB."""

    name: str
    family: str
    cores: int
    memory_gb: float


def _sizes() -> Iterator[Size]:
    """General, memory-optimised, compute-optimised and GPU sizes that samples and articles use."""
    for number, cores in ((1, 1), (2, 2), (3, 4), (4, 8)):
        yield Size(f"Standard_D{number}", "standardDFamily", cores, 3.5 * cores)
        yield Size(f"Standard_D{number}_v2", "standardDv2Family", cores, 3.5 * cores)
        yield Size(f"Standard_DS{number}_v2", "standardDSv2Family", cores, 3.5 * cores)
    for cores in (2, 4, 8, 16, 32):
        yield Size(f"Standard_D{cores}s_v3", "standardDSv3Family", cores, 4.0 * cores)
        yield Size(f"Standard_E{cores}s_v3", "standardESv3Family", cores, 8.0 * cores)
        yield Size(f"Standard_F{cores}s_v2", "standardFSv2Family", cores, 2.0 * cores)
    for cores in (6, 12, 24):
        yield Size(f"Standard_NC{cores}", "standardNCFamily", cores, 56.0 * cores / 6)


SIZES = tuple(_sizes())


def this_machine(root: Path = CGROUP) -> Machine:
    """Cores and memory, less what a control group holds back. root: where its files are."""
    cores = len(os.sched_getaffinity(0))
    quota, _, period = _text(root / "cpu.max").partition(" ")
    if quota.isdigit() and period.strip().isdigit():
        cores = min(cores, max(1, int(quota) // int(period)))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _text(root / "memory.max")
    if limit.isdigit():
        memory = min(memory, int(limit))
    return Machine(cores, round(memory / 2**30, 1))


def node_of(size: str, machine: Machine) -> Machine:
    """What a node of that size has here, at most the machine itself."""
    for known in SIZES:
        if known.name.lower() == size.lower():
            cores = min(known.cores, machine.cores)
            return Machine(cores, min(known.memory_gb, machine.memory_gb))
    return machine


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
