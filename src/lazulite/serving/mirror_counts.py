"""What became of mirrored requests, as mirror.lua counts it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lazulite.serving.haproxy_process import Console

Copies = Mapping[tuple[str, str], Mapping[str, int]]
"""By the names of endpoint and deployment in lower case, then by outcome: answered, failed (another
status than 200, or none), dropped, too_large."""


def read_copies(run_folder: Path) -> Copies:
    """Since HAProxy was last started or reloaded. Raises OSError if none answers."""
    with Console(str(run_folder / "stats.sock")) as console:
        return parse_copies(console.ask(b"show copies").decode(errors="replace"))


def parse_copies(text: str) -> Copies:
    """Nothing if the answer is HAProxy's list of commands, as when nothing is mirrored."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["copies"] and len(words) == 4:
            endpoint, _, deployment = words[1].lower().partition(".")
            found.setdefault((endpoint, deployment), {})[words[2]] = int(words[3])
    return found
