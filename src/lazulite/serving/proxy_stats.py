"""What HAProxy counts of everything at once: load of deployments, connections, dropped lines."""

from __future__ import annotations

import collections
import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lazulite.serving.haproxy_process import Console
from lazulite.serving.load import Load, load_of


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
    deployments = {
        (endpoint, deployment): load
        for name, rows in proxies.items()
        for endpoint, dot, deployment in [name.lower().partition(".")]
        if dot and (load := load_of(rows)) is not None
    }
    public = proxies.get("public", {}).get("FRONTEND", {})
    facts = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
    dropped = int(facts.get("DroppedLogs", 0))
    return ProxyStats(deployments, int(public.get("scur") or 0), dropped)
