"""What is measured now and then: load of deployments, processors and memory of their instances."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from lazulite.core.ids import fold
from lazulite.serving.mirror_counts import Copies, read_copies
from lazulite.serving.proxy_stats import ProxyStats, read_stats
from lazulite.store.resources import Json
from lazulite.telemetry.metrics import MINUTE_MS, Point
from lazulite.telemetry.places import Landscape
from lazulite.telemetry.processes import Usage, disk_percent, memory_total, usage_of

Statuses = Mapping[str, Mapping[str, Json]]
"""What keepers say: by the uid of a deployment, then by task."""


@dataclasses.dataclass(frozen=True)
class Instance:
    """One replica process, and what it used."""

    deployment: tuple[str, str]
    """Names of endpoint and deployment in lower case."""
    resource: str
    name: str
    state: str
    cpu_percent: float | None
    memory: int | None


@dataclasses.dataclass(frozen=True)
class Sample:
    """One measurement of everything."""

    stats: ProxyStats | None
    """None if HAProxy does not answer."""
    instances: list[Instance]
    disk: float
    copies: Copies


class Gauges:
    """Measures. CPU is what was used since the measurement before."""

    def __init__(self, run_folder: Path, data_folder: Path) -> None:
        self._run_folder, self._data_folder = run_folder, data_folder
        self._before: dict[int, Usage] = {}
        self._measured_at = time.monotonic()

    def measure(self, places: Landscape, statuses: Statuses) -> Sample:
        """Look at everything. Blocks for some milliseconds."""
        stats: ProxyStats | None = None
        copies: Copies = {}
        with contextlib.suppress(OSError, ValueError, KeyError):  # it is being started, or replaced
            stats, copies = read_stats(self._run_folder), read_copies(self._run_folder)
        found = [
            (place, f"{row.name}-{task.rpartition('-')[2]}-{replica['index']}", replica)
            for row in places.rows
            for place in [places.deployments[_names(row.id)]]
            for task, status in statuses.get(row.uid, {}).items()
            for replica in status.get("replicas") or ()
        ]
        now = time.monotonic()
        used = usage_of([replica["pid"] for _, _, replica in found if replica.get("pid")])
        span = max(0.001, now - self._measured_at) * (os.cpu_count() or 1)
        instances = [
            Instance(
                (place.endpoint.lower(), place.deployment.lower()),
                fold(place.id),
                name,
                str(replica.get("state")),
                self._percent(replica.get("pid"), used, span),
                used[replica["pid"]].memory if replica.get("pid") in used else None,
            )
            for place, name, replica in found
        ]
        self._before, self._measured_at = used, now
        return Sample(stats, instances, disk_percent(self._data_folder), copies)

    def _percent(self, pid: int | None, used: Mapping[int, Usage], span: float) -> float | None:
        """None until it was measured twice. span: processor seconds since the time before."""
        if pid is None or pid not in used or pid not in self._before:
            return None
        return max(0.0, 100.0 * (used[pid].cpu_s - self._before[pid].cpu_s) / span)


def points(sample: Sample, places: Landscape, now_ms: int) -> Iterator[Point]:
    """The metrics that a measurement gives."""
    minute = now_ms - now_ms % MINUTE_MS
    total = memory_total()
    for one in sample.instances:
        of = (("instanceId", one.name),)
        if one.cpu_percent is not None:
            yield _point(one.resource, "CpuUtilizationPercentage", minute, one.cpu_percent, of)
        if one.memory is not None:
            percent = 100.0 * one.memory / total
            yield _point(one.resource, "CpuMemoryUtilizationPercentage", minute, percent, of)
    for names, place in places.deployments.items():
        resource = fold(place.id)
        states = [one.state for one in sample.instances if one.deployment == names]
        for state in sorted({*states, "ready"}):
            split = (("State", state),)
            count = float(states.count(state))
            yield _point(resource, "DeploymentCapacity", minute, count, split)
        yield _point(resource, "DiskUtilization", minute, sample.disk, (("disk", "data"),))
        load = sample.stats.deployments.get(names) if sample.stats else None
        if load is not None:
            yield _point(resource, "QueueDepth", minute, float(load.queued))
            yield _point(resource, "RequestsActive", minute, float(load.in_flight - load.queued))
    if sample.stats is not None:
        for name, place in places.endpoints.items():
            loads = [load for of, load in sample.stats.deployments.items() if of[0] == name]
            active = float(sum(load.in_flight for load in loads))
            yield _point(fold(place.id), "ConnectionsActive", minute, active)


def _point(
    resource: str, metric: str, minute: int, value: float, of: tuple[tuple[str, str], ...] = ()
) -> Point:
    return Point(resource, metric, minute, value, dimensions=of)


def _names(arm_id: str) -> tuple[str, str]:
    parts = arm_id.lower().rsplit("/", 3)
    return parts[1], parts[3]
