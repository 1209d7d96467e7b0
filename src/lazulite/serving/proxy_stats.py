"""What HAProxy counts itself: requests in replicas and in queues, connections, dropped lines."""

from __future__ import annotations

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


class ProxyStats(NamedTuple):
    """One look."""

    deployments: Mapping[tuple[str, str], Load]
    """By the names of endpoint and deployment in lower case."""
    connections: int
    """Open connections of clients."""
    dropped_lines: int
    """Lines of the access log that found the pipe full, since this HAProxy began."""
    copies: Mapping[tuple[str, str], Mapping[str, int]]
    """What became of mirrored requests since then, by deployment: answered, failed (another status
    than 200 or none), dropped, too_large."""


def read_stats(run_folder: Path) -> ProxyStats:
    """What the serving HAProxy says. Blocks for a moment. Raises OSError if none answers."""
    with Console(str(run_folder / "stats.sock")) as console:
        commands = (b"show stat -1 3 -1", b"show info", b"show copies")
        return parse_stats(*(console.ask(each).decode(errors="replace") for each in commands))


def parse_stats(table: str, info: str, copies: str = "") -> ProxyStats:
    """From the answers to `show stat`, `show info` and mirror.lua's `show copies`."""
    deployments, connections = {}, 0
    lines = [line for line in table.lstrip("\n# ").splitlines() if "," in line]
    for row in csv.DictReader(lines):
        name, side = row["pxname"], row["svname"]
        endpoint, dot, deployment = name.lower().partition(".")
        if side == "BACKEND" and dot:
            queued = int(row["qcur"] or 0)
            active = max(0, int(row["scur"] or 0) - queued)
            deployments[endpoint, deployment] = Load(active, queued)
        elif side == "FRONTEND" and name == "public":
            connections = int(row["scur"] or 0)
    facts = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
    dropped = int(facts.get("DroppedLogs", 0))
    return ProxyStats(deployments, connections, dropped, _copies(copies))


def _copies(text: str) -> dict[tuple[str, str], dict[str, int]]:
    """Nothing if the answer is HAProxy's list of commands, as when nothing is mirrored."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["copies"] and len(words) == 4:
            endpoint, _, deployment = words[1].lower().partition(".")
            found.setdefault((endpoint, deployment), {})[words[2]] = int(words[3])
    return found
