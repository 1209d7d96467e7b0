"""How often a supervisor is started: one that ends again and again is given time."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from lazulite.store.files import read_json, write_atomically

AT_ONCE = 3
"""Starts that wait for nothing."""
LONGEST_PAUSE_S, FORGIVEN_AFTER_S = 60.0, 300.0
_FILE = "starts.json"


def may_start(folder: Path, now: datetime) -> bool:
    """Whether to start the supervisor of the job in the folder; the start is counted then.

    The pause grows from 1 s to LONGEST_PAUSE_S. One that ran for FORGIVEN_AFTER_S begins anew.
    """
    noted = read_json(folder / _FILE) or {"count": 0, "at": 0.0}
    age = now.timestamp() - noted["at"]
    count = 0 if age > FORGIVEN_AFTER_S else int(noted["count"])
    if 0 <= age < _pause_s(count):
        return False
    text = json.dumps({"count": count + 1, "at": now.timestamp()})
    write_atomically(folder / _FILE, text.encode())
    return True


def forgive(folder: Path) -> None:
    """It ended as it should: the next start is the first one. A second call changes nothing."""
    (folder / _FILE).unlink(missing_ok=True)


def _pause_s(count: int) -> float:
    return min(2.0 ** min(count - AT_ONCE, 16), LONGEST_PAUSE_S) if count >= AT_ONCE else 0.0
