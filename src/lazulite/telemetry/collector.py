"""The loop that gathers: requests, console lines, events and measurements go to the store.

It runs in the control plane, beside it: what it reads are files that others write, so that nothing
waits for it. After a time without a control plane it goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lazulite.core.clock import Clock
from lazulite.store.files import read_json
from lazulite.store.resources import Json, Resource, Resources
from lazulite.telemetry import access_reader, console, events, gauges, traffic
from lazulite.telemetry.counters import Counters
from lazulite.telemetry.metrics import Point
from lazulite.telemetry.places import Landscape, Place, landscape
from lazulite.telemetry.store import TelemetryStore
from lazulite.telemetry.tables import CONSOLE, EVENTS, TRAFFIC

EVERY_S = 1.0
MEASURE_EVERY = 15  # looks
_MOST_READINGS = 4  # of one look


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sources:
    """Where things are read."""

    access: Path
    """The edge's files of requests."""
    tasks: Path
    kept_logs: Path
    run_folder: Path
    data_folder: Path
    build_log: Callable[[str], bytes]
    """Of an environment by its hash."""


class Collector:
    """Looks; somebody else says when."""

    def __init__(
        self, resources: Resources, store: TelemetryStore, sources: Sources, clock: Clock
    ) -> None:
        """store: stays the caller's."""
        self._resources, self._store, self._sources = resources, store, sources
        self._clock = clock
        self.counters = Counters()
        self._traffic = traffic.Traffic()
        self._console = console.Console(sources.tasks, sources.kept_logs)
        self._gauges = gauges.Gauges(sources.run_folder, sources.data_folder)
        self._numbers: dict[Place, int] = {}
        self._looks = 0

    async def look(self) -> None:
        """Read what is new from every source, and keep it."""
        places = await landscape(self._resources)
        now_ms = int(self._clock().timestamp() * 1000)
        await asyncio.to_thread(self._look, places, now_ms)

    def _look(self, places: Landscape, now_ms: int) -> None:
        self.counters.forget_others(places)
        self._read_requests(places)
        statuses = {row.uid: self._statuses(row) for row in places.rows}
        self._read_console(places, now_ms)
        has_changed = self._compare(places, statuses, now_ms)
        if has_changed or self._looks % MEASURE_EVERY == 0:
            sample = self._gauges.measure(places, statuses)
            self.counters.sample = sample
            self._store.write({}, gauges.points(sample, places, now_ms))
        self._looks += 1

    def _read_requests(self, places: Landscape) -> None:
        numbers = {
            (place.endpoint.lower(), place.deployment.lower()): self._number(place)
            for place in (*places.endpoints.values(), *places.deployments.values())
        }
        mark = self._store.mark(access_reader.MARK)
        for _ in range(_MOST_READINGS):
            reading = access_reader.read_requests(
                self._sources.access, (mark[0], mark[1]) if mark else None
            )
            tallies = self._traffic.tallies(reading.requests)
            rows, left_out = traffic.rows(reading.requests, numbers)
            points: list[Point] = list(self._traffic.points(tallies, places))
            if list(reading.mark) != mark:
                marks = {access_reader.MARK: reading.mark}
                self._store.write({TRAFFIC: rows}, points, marks)
            reading.discard()
            mark = list(reading.mark)
            self.counters.add(tallies, places)
            self.counters.lost_lines += reading.lost
            self.counters.rows_left_out += left_out
            if reading.is_all:
                return

    def _read_console(self, places: Landscape, now_ms: int) -> None:
        """Logs of the tasks of today's deployments, and of those whose logs are not read out."""
        before = console.positions(self._store.mark(console.MARK))
        after: dict[str, Any] = {}
        rows: list[tuple[Any, ...]] = []
        for stream in self._streams(places, before):
            known = before.get(stream.name)
            position = (known[0], known[1]) if known else None
            more, position = self._console.read(stream, position, now_ms)
            rows += more
            if position is not None:
                after[stream.name] = (*position, stream.place, stream.instance)
        if rows or after.keys() != before.keys():
            self._store.write({CONSOLE: rows}, (), {console.MARK: after})

    def _streams(
        self, places: Landscape, before: Mapping[str, tuple[int, int, int, str]]
    ) -> list[console.Stream]:
        found: dict[str, console.Stream] = {}
        for row in places.rows:
            number = self._number(_place(places, row))
            for task in tasks_of(row):
                for stream in self._console.streams(task, row.name, number):
                    found[stream.name] = stream
        for name, (_, _, number, instance) in before.items():
            task, _, file = name.partition("/")
            if name not in found and (self._sources.kept_logs / task / file).exists():
                found[name] = console.Stream(task, file, instance, number)
        return list(found.values())

    def _compare(
        self, places: Landscape, statuses: Mapping[str, Mapping[str, Json]], now_ms: int
    ) -> bool:
        """Tell of what has happened; False if nothing has."""
        kept: dict[str, Json] = self._store.mark(events.MARK) or {}
        seen = {
            row.uid: {
                **events.look(row, statuses[row.uid]),
                "place": self._number(_place(places, row)),
            }
            for row in places.rows
        }
        if seen == kept:
            return False
        rows: list[tuple[Any, ...]] = []
        lines: list[tuple[Any, ...]] = []
        for uid in {**kept, **seen}:
            before, after = kept.get(uid), seen.get(uid)
            place = int((after or before or {})["place"])
            for event in events.differences(before, after):
                rows.append((now_ms, place, event.instance, *event[:3]))
                if event.name == "Pulled" and after is not None:
                    lines += self._build_lines(after["environment"], place, now_ms)
        self._store.write({EVENTS: rows, CONSOLE: lines}, (), {events.MARK: seen})
        return True

    def _build_lines(self, environment: str, place: int, now_ms: int) -> list[tuple[Any, ...]]:
        """What the build said, as the log of the container that prepares an instance."""
        said = self._sources.build_log(environment).decode(errors="replace").splitlines()
        of = ("", "storage-initializer", "", "Information")
        return [(now_ms, place, *of, line) for line in said[-console.MOST_LINES :]]

    def _statuses(self, row: Resource) -> dict[str, Json]:
        found = {}
        for task in tasks_of(row):
            with contextlib.suppress(ValueError, OSError):
                status = read_json(self._sources.tasks / task / "status.json")
                if status is not None:
                    found[task] = status
        return found

    def _number(self, place: Place) -> int:
        if place not in self._numbers:
            self._numbers[place] = self._store.place(place)
        return self._numbers[place]


def tasks_of(row: Resource) -> list[str]:
    """The replica sets of a deployment: the one that is wanted, and those that still serve."""
    serving = row.observed.get("serving") or {}
    retiring = [old["task"] for old in row.observed.get("retiring") or ()]
    return list(dict.fromkeys([*retiring, *filter(None, [serving.get("task")]), row.task_name]))


def _place(places: Landscape, row: Resource) -> Place:
    parts = row.id.lower().rsplit("/", 3)
    return places.deployments[parts[1], parts[3]]
