"""Starting and stopping compute instances: what is wanted stands in the row, beside its properties.

`power` in a row's envelope says whether the instance shall run, how often a restart was asked for,
and which operation was the last. Source: spec/REST.md 7.2 (ComputeInstance properties).
"""

from __future__ import annotations

from datetime import datetime

from lazulite.store.resources import Json, Resource

POWER = "power"
START, STOP, RESTART = "Start", "Stop", "Restart"
INSTANCE = "ComputeInstance"


def new_power(now: datetime) -> Json:
    """Of an instance that was just asked for: it starts at once."""
    return _said("Create", now, runs=True, restarts=0)


def turned(before: Json, operation: str, now: datetime) -> Json:
    """What is wanted after a Start, Stop or Restart."""
    restarts = before["restarts"] + (1 if operation == RESTART else 0)
    return _said(operation, now, runs=operation != STOP, restarts=restarts)


def is_instance(compute: Resource) -> bool:
    """Whether it is one machine instead of a cluster."""
    return bool(compute.properties["computeType"] == INSTANCE)


def is_off(instance: Resource) -> bool:
    """Whether its node shall go: it is stopped, or goes before it comes again."""
    return is_instance(instance) and (not _power(instance)["runs"] or is_restarting(instance))


def is_restarting(instance: Resource) -> bool:
    """Whether a restart was asked for whose old node may still be there."""
    power = _power(instance)
    return bool(power["runs"] and power["restarts"] != instance.observed.get("restarts", 0))


def restarts(instance: Resource) -> int:
    """How many restarts were asked for."""
    return int(_power(instance)["restarts"])


def state_of(instance: Resource) -> str:
    """Azure's ComputeInstanceState."""
    nodes = {node["state"] for node in instance.observed.get("nodes", ())}
    operation = _power(instance)["operation"]
    if instance.deleting:
        return "Deleting"
    if not _power(instance)["runs"]:
        return "Stopping" if nodes else "Stopped"
    if instance.provisioning_state in {"Creating", "Updating"} or is_restarting(instance):
        starting = {"Create": "Creating", RESTART: "Restarting"}
        return starting.get(operation, "Starting")
    return "JobRunning" if "running" in nodes else "Running"


def last_operation(instance: Resource) -> Json:
    """Azure's ComputeInstanceLastOperation."""
    power = _power(instance)
    state = instance.provisioning_state
    status = {"Succeeded": "Succeeded", "Failed": f"{power['operation']}Failed"}
    return {
        "operationName": power["operation"],
        "operationTime": power["at"],
        "operationStatus": status.get(state, "InProgress"),
        "operationTrigger": "User",
    }


def _said(operation: str, now: datetime, *, runs: bool, restarts: int) -> Json:
    return {"operation": operation, "at": now.isoformat(), "runs": runs, "restarts": restarts}


def _power(instance: Resource) -> Json:
    power: Json = instance.envelope[POWER]
    return power
