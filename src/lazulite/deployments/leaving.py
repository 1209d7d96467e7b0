"""Processes that the front door turns from: they stop once nothing can reach them any more.

That time begins when the front door has turned, not when the row says that it is to: until then
they get requests like any other.
"""

from __future__ import annotations

from lazulite.deployments.online_replicas import reachable_s
from lazulite.store.resources import Json


def leaving(serving: Json) -> Json:
    """How some instances that serve until now begin to leave: `until` is not known yet."""
    return {"until": None, "reachable_s": reachable_s(serving)}


def retiring(serving: Json) -> Json:
    """How a whole set begins to leave: a request may be waking it, and waits for that, too."""
    cold_s = serving.get("coldMs", 0) / 1000
    return {"task": serving["task"], "until": None, "reachable_s": reachable_s(serving) + cold_s}


def turned_from(observed: Json, now: float) -> Json:
    """The front door serves what the row says: what leaves is reached for a limited time only."""
    some = observed.get("leaving")
    return {
        **observed,
        "retiring": [_timed(old, now) for old in observed.get("retiring", ())],
        "leaving": some and _timed(some, now),
    }


def is_unreachable(old: Json, now: float) -> bool:
    """Whether no request can come any more. Not before the front door has turned."""
    return old["until"] is not None and bool(now >= old["until"])


def _timed(old: Json, now: float) -> Json:
    return old if old["until"] is not None else {**old, "until": now + old["reachable_s"]}
