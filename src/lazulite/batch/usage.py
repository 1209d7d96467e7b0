"""What the processes of a job use: logs/perf, as Azure has it. Source: spec/BATCH.md 1.6.

Read from /proc, which only Linux has; elsewhere there are no such files. A node is a slice of the
machine: what is said of a node is so of the whole machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from lazulite.batch.worker import Worker
from lazulite.executors.links import opener_without_links

INTERVAL_S = 60.0
_HEADERS = {
    "processes_resource_usage.csv": "time,process,pid,processes,cpu_s,memory_mib\n",
    "node_resource_usage.csv": "time,cores,load_1min,memory_total_mib,memory_available_mib\n",
    "node_disk_usage.csv": "time,total_mib,free_mib\n",
}
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


class Usage:
    """Appends a line for each process and node now and then."""

    def __init__(self, log_dir: Path, output_dir: Path) -> None:
        """output_dir: whose disk is measured."""
        self._folder, self._output, self._looked = log_dir / "perf", output_dir, time.monotonic()
        self._lines: list[tuple[str, str, str]] = []

    def look(self, workers: Iterable[Worker]) -> None:
        """Measure and write if it is time to."""
        now = time.monotonic()
        if now - self._looked >= INTERVAL_S:
            self._looked = now
            self.measure(workers)
            self.write()

    def measure(self, workers: Iterable[Worker]) -> None:
        """Take down what is used now, for write()."""
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        nodes = set[str]()
        for worker in workers:
            if worker.pid:
                nodes.add(worker.name.node)
                count, seconds, mib = _used(worker.pid)
                line = f"{moment},{worker.name.process},{worker.pid},{count},{seconds:.2f},{mib}\n"
                self._lines.append((worker.name.node, "processes_resource_usage.csv", line))
        for node in nodes:
            self._lines += [
                (node, "node_resource_usage.csv", f"{moment},{_machine()}\n"),
                (node, "node_disk_usage.csv", f"{moment},{_disk(self._output)}\n"),
            ]

    def write(self) -> None:
        """Write what was measured. A log that cannot be written must not cost a job its results."""
        for node, name, line in self._lines:
            path = self._folder / node / name
            with (
                contextlib.suppress(OSError),
                open(path, "a", opener=opener_without_links) as file,
            ):
                file.write(line if file.tell() else _HEADERS[name] + line)
        self._lines.clear()


def _used(pid: int) -> tuple[int, float, int]:
    """Processes, seconds of processor time and resident MiB of a process and all it started."""
    count, ticks, pages = 0, 0, 0
    for member in _tree(pid):
        if fields := _stat(member):
            count, ticks = count + 1, ticks + int(fields[11]) + int(fields[12])
            pages += int(fields[21])
    return count, ticks / _TICKS, pages * _PAGE >> 20


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listed.read_text().split()
        except OSError:  # the process or its thread has ended
            continue
        for child in children:
            yield from _tree(int(child))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name; none if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _machine() -> str:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        load = Path("/proc/loadavg").read_text().split()[0]
    except OSError:
        return ",,,"
    kib = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    total, available = kib["MemTotal"] >> 10, kib["MemAvailable"] >> 10
    return f"{os.cpu_count()},{load},{total},{available}"


def _disk(folder: Path) -> str:
    try:
        used = shutil.disk_usage(folder)
    except OSError:
        return ","
    return f"{used.total >> 20},{used.free >> 20}"
