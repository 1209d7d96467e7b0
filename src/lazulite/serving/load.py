"""How many requests a deployment has, by HAProxy's own count."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
from collections.abc import Mapping
from pathlib import Path

from lazulite.serving.haproxy_process import Console


@dataclasses.dataclass(frozen=True)
class Load:
    """Requests of one deployment."""

    in_flight: int
    """Running or waiting, now."""
    queued: int
    """Of these, those that no process has taken."""
    requests: int
    """All so far, since the front door loaded its configuration: a smaller number begins anew."""


@dataclasses.dataclass(frozen=True)
class LoadReader:
    """Asks HAProxy's stats socket."""

    stats: Path

    async def read(self, backend: str) -> Load | None:
        """The load of a backend of the front door; None while it is not there, or not to be asked.

        Requests that an older configuration still answers are not counted.
        """
        return await asyncio.to_thread(self._read, backend)

    def _read(self, backend: str) -> Load | None:
        try:
            with Console(str(self.stats)) as console:
                text = console.ask(f"show stat {backend} 6 -1".encode()).decode()
        except OSError:
            return None
        return parse_load(text)


def parse_load(text: str) -> Load | None:
    """The load in HAProxy's table of one backend and its servers; None if there is no such."""
    lines = text.lstrip("# ").splitlines()
    return load_of({row["svname"]: row for row in csv.DictReader(lines) if row.get("svname")})


def load_of(rows: Mapping[str, dict[str, str]]) -> Load | None:
    """The load in the rows of one backend, by svname; None if there is none of its own."""
    backend, waiting = rows.get("BACKEND"), rows.get("waiting", {})
    if backend is None:
        return None
    return Load(
        in_flight=_number(backend, "scur"),
        queued=_number(backend, "qcur") + _number(waiting, "scur"),
        requests=_number(backend, "stot"),
    )


def _number(row: dict[str, str], column: str) -> int:
    return int(row.get(column) or 0)
