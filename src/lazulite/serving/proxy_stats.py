"""What HAProxy counts itself: requests in replicas and in queues, connections, dropped lines."""

from __future__ import annotations

import collections
import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lazulite.serving.haproxy_process import Console


class Load(NamedTuple):
    """Of one deployment now."""

    active: int
    """Requests that a replica works on, or that wait in its socket."""
    queued: int
    """Requests that wait for a replica."""

    @property
    def in_flight(self) -> int:
        """Running or waiting. Those that an older configuration still answers are not counted."""
        return self.active + self.queued


class ProxyStats(NamedTuple):
    """One look."""

    deployments: Mapping[tuple[str, str], Load]
    """By the names of endpoint and deployment in lower case."""
    connections: int
    """Open connections of clients."""
    dropped_lines: int
    """Lines of the access log that found the pipe full, since this HAProxy began."""


def read_stats(run_folder: Path) -> ProxyStats:
    """What the serving HAProxy says. Blocks for a moment. Raises OSError if none answers."""
    with Console(str(run_folder / "stats.sock")) as console:
        table, info = console.ask(b"show stat -1 7 -1"), console.ask(b"show info")
    return parse_stats(table.decode(errors="replace"), info.decode(errors="replace"))


def parse_stats(table: str, info: str) -> ProxyStats:
    """From the answers to `show stat` and `show info`."""
    proxies: dict[str, dict[str, dict[str, str]]] = collections.defaultdict(dict)
    lines = [line for line in table.lstrip("\n# ").splitlines() if "," in line]
    for row in csv.DictReader(lines):
        proxies[row["pxname"]][row["svname"]] = row
    deployments = {}
    for name, rows in proxies.items():
        endpoint, dot, deployment = name.lower().partition(".")
        if dot and "BACKEND" in rows:
            deployments[endpoint, deployment] = _load(rows)
    connections = _count(proxies.get("public", {}).get("FRONTEND", {}), "scur")
    facts = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
    return ProxyStats(deployments, connections, int(facts.get("DroppedLogs", 0)))


def _load(rows: Mapping[str, Mapping[str, str]]) -> Load:
    """rows: of one backend by svname. Who waits for a first replica is in the queue, too."""
    queued = _count(rows["BACKEND"], "qcur") + _count(rows.get("waiting", {}), "scur")
    return Load(max(0, _count(rows["BACKEND"], "scur") - queued), queued)


def _count(row: Mapping[str, str], column: str) -> int:
    return int(row.get(column) or 0)
