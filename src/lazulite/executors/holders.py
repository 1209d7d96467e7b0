"""Who holds a container: a process, named so that its number cannot be mistaken for another's."""

from __future__ import annotations

import os
from pathlib import Path

from lazulite.executors.container import HOLDER, OWNER
from lazulite.executors.container_engine import Engine


def holder_name(pid: int) -> str:
    """The process's name: machine's boot, pid and start. Empty if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "" if state == "Z" else f"{boot}.{pid}.{fields[18]}"


def labels(owner: str) -> dict[str, str]:
    """Those of a container that this process holds. owner: the server's data folder."""
    return {OWNER: owner, HOLDER: holder_name(os.getpid())}


def sweep(engine: Engine, owner: str) -> int:
    """Remove the owner's containers whose holders are gone; how many. Raises EngineError.

    May be called at any time and by many.
    """
    removed = 0
    for container in engine.containers([f"{OWNER}={owner}"]):
        name = str(container["Labels"].get(HOLDER, ""))
        pid = name.split(".")[1] if name.count(".") == 2 else ""
        if not pid.isdigit() or holder_name(int(pid)) != name:
            engine.remove(container["Id"])
            removed += 1
    return removed
