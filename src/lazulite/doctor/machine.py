"""The machine itself: ports, disk, memory, clock."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

from lazulite.computes.capacity import this_machine
from lazulite.core.settings import Settings
from lazulite.doctor.finding import Finding, Status

GIB = 1 << 30
LEAST_DISK, LITTLE_DISK = 1 * GIB, 10 * GIB
LITTLE_MEMORY_GB = 2.0
SKEW_S = 300
"""What tokens tolerate. Source: spec/SECURITY.md SEC-052."""
_CLOCK_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


def ports(settings: Settings, server: dict[str, Any] | None) -> list[Finding]:
    """Whether the server's ports are free, or its own. server: what the running one says."""
    own = {_port_of(server[name]) for name in ("url", "http_url")} if server else set[int]()
    wanted = {"https port": (settings.host, settings.port)}
    wanted |= {"http port": ("127.0.0.1", settings.http_port)}
    return [_port(check, *address, own) for check, address in wanted.items()]


def disk(folder: Path) -> Finding:
    """Room for environments, models and results."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / GIB:.1f} GiB free for {folder}"
    if not os.access(there, os.W_OK):
        found = f"{there} cannot be written to"
    elif free > LITTLE_DISK:
        return Finding(check="disk", status=Status.OK, found=found)
    is_usable = os.access(there, os.W_OK) and free > LEAST_DISK
    return Finding(
        check="disk",
        status=Status.WARNING if is_usable else Status.MISSING,
        found=found,
        purpose="the database, blobs and environments",
        remedy="Make room or rights, or choose another folder with --data-dir.",
        is_needed=True,
    )


def memory() -> Finding:
    """Cores and memory, less what a control group holds back."""
    machine = this_machine()
    found = f"{machine.memory_gb:g} GiB for {machine.cores} cores"
    if machine.memory_gb >= LITTLE_MEMORY_GB:
        return Finding(check="memory", status=Status.OK, found=found)
    return Finding(
        check="memory",
        status=Status.WARNING,
        found=found,
        purpose="models, which are loaded once per instance",
        remedy="Deploy small models only, one instance each.",
    )


def clock(data: Path) -> Finding:
    """Whether the clock is behind what the server has written, or on its own."""
    written = [path.stat().st_mtime for path in (data / "lock", data) if path.exists()]
    behind = max(written, default=0.0) - time.time()
    if behind > SKEW_S:
        return Finding(
            check="clock",
            status=Status.MISSING,
            found=f"the clock is {behind:.0f} s behind the files in {data}",
            purpose="tokens: those that were issued later are refused",
            remedy="Set the clock, best by NTP (timedatectl set-ntp true).",
            is_needed=True,
        )
    if _is_alone():
        return Finding(
            check="clock",
            status=Status.WARNING,
            found="the kernel's clock is not synchronised",
            purpose="clients on other machines: tokens tolerate 300 s",
            remedy="Turn NTP on (timedatectl set-ntp true), unless the host sets this clock.",
        )
    return Finding(check="clock", status=Status.OK, found="synchronised, and ahead of all files")


def _port(check: str, host: str, port: int, own: set[int]) -> Finding:
    if port == 0 or port in own:
        found = "any free one" if port == 0 else f"{port} is this server's"
        return Finding(check=check, status=Status.OK, found=found)
    try:
        with socket.create_server((host, port)):
            return Finding(check=check, status=Status.OK, found=f"{port} is free")
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        option = "--port" if check.startswith("https") else "--http-port"
        return Finding(
            check=check,
            status=Status.MISSING,
            found=f"{port} is taken by another program" if taken else f"{host}:{port}: {error}",
            purpose="clients",
            remedy=f"Stop that program, or choose another with {option}; 0 takes a free one.",
            is_needed=True,
        )


def _port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def _is_alone() -> bool:
    """Whether the kernel says that nobody sets its clock; False where it cannot be asked."""
    if sys.platform != "linux":
        return False
    timex = ctypes.create_string_buffer(512)  # all zero: read only; larger than struct timex
    return int(ctypes.CDLL(None).adjtimex(timex)) == _CLOCK_UNSYNCHRONISED
