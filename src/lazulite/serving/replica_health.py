"""What a keeper's status says of a deployment that does not serve as it should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.core.errors import SpecError


def failure(status: Mapping[str, Any]) -> SpecError:
    """Why the set was given up, or is not kept up."""
    error = status.get("error") or {}
    code = error.get("code") or "ReplicaFailed"
    return SpecError(code, error.get("message") or "The replicas did not start.")


def unwell(status: Mapping[str, Any]) -> dict[str, Any] | None:
    """An error for a set that does not serve, and will not soon; None while it does."""
    if status.get("state") in {"failed", "crash-loop"}:
        return failure(status).body
    replicas = status.get("replicas", [])
    looping = [replica for replica in replicas if replica["state"] == "crash-loop"]
    if not looping or any(replica["state"] == "ready" for replica in replicas):
        return None
    worst = max(looping, key=lambda replica: int(replica["restarts"]))
    return SpecError(
        "ReplicasCrashLoop",
        f"No replica is up, as they end again and again: replica {worst['index']} was started "
        f"{worst['restarts'] + 1} times and is started again at most every 30 s. It ended last "
        f"with {worst['exit']}:\n{worst['error'] or 'it said nothing; see its log'}",
    ).body
