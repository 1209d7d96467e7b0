"""What happens to deployments and their instances, told by comparing two looks at them.

A look is kept, so that what happened while nobody looked is told at the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lazulite.store.resources import Json, Resource

MARK = "events"
_FALLEN = frozenset({"backoff", "crash-loop"})
INFORMATION, WARNING, ERROR = "Information", "Warning", "Error"


class Event(NamedTuple):
    """One event. Times are those of the look that found it."""

    name: str
    level: str
    message: str
    instance: str = ""


def look(row: Resource, statuses: Mapping[str, Json]) -> Json:
    """What is compared of a deployment. statuses: of the keepers of its tasks, by task."""
    serving = row.observed.get("serving") or {}
    serves = serving.get("instances")
    instances = {
        f"{row.name}-{task.rpartition('-')[2]}-{replica['index']}": {
            "state": replica.get("state"),
            "restarts": replica.get("restarts") or 0,
            "exit": replica.get("exit"),
            "error": replica.get("error"),
        }
        for task, status in statuses.items()
        for replica in status.get("replicas") or ()
    }
    return {
        "name": row.name,
        "generation": row.generation,
        "capacity": _asked_for(row) if serves is None else int(serves),
        "environment": row.observed.get("environment"),
        "serving": serving.get("task"),
        "error": (row.error or {}).get("message"),
        "instances": instances,
    }


def _asked_for(row: Resource) -> int:
    return int((row.envelope.get("sku") or {}).get("capacity") or 1)


def differences(before: Json | None, after: Json | None) -> Iterator[Event]:
    """What has happened between two looks at a deployment; None: it was not there."""
    if after is None:
        if before is not None:
            yield Event("DeploymentDeleted", INFORMATION, "The deployment was deleted.")
        return
    yield from _of_definition(before, after)
    if after["environment"] and (before or {}).get("environment") != after["environment"]:
        yield Event("Pulled", INFORMATION, f"The environment {after['environment']} is there.")
    known = (before or {}).get("instances", {})
    for name, instance in after["instances"].items():
        yield from _of_instance(name, known.get(name), instance)
    for name in known:
        if name not in after["instances"]:
            yield Event("Killed", INFORMATION, "The instance has ended.", name)
    yield from _of_service(before or {}, after)


def _of_definition(before: Json | None, after: Json) -> Iterator[Event]:
    count = after["capacity"]
    if before is None:
        message = f"The deployment was created with {count} instances."
        yield Event("DeploymentCreated", INFORMATION, message)
        return
    if before["capacity"] != count:
        message = f"From {before['capacity']} to {count} instances."
        yield Event("DeploymentScaled", INFORMATION, message)
    if before["generation"] != after["generation"]:
        message = f"The deployment was changed; this is its generation {after['generation']}."
        yield Event("DeploymentUpdated", INFORMATION, message)


def _of_service(before: Json, after: Json) -> Iterator[Event]:
    if after["serving"] and before.get("serving") != after["serving"]:
        generation = after["serving"].rpartition("-")[2]
        yield Event("DeploymentReady", INFORMATION, f"Generation {generation} takes requests.")
    if after["error"] and before.get("error") != after["error"]:
        yield Event("DeploymentFailed", ERROR, after["error"])


def _of_instance(name: str, before: Any, after: Json) -> Iterator[Event]:
    if before is None:
        yield Event("Created", INFORMATION, "The instance was created.", name)
    known = before or {"state": None, "restarts": 0}
    restarted = after["restarts"] > known["restarts"]
    fell = after["state"] in _FALLEN and known["state"] not in _FALLEN
    if restarted or fell:
        how = after["exit"] or "no exit code"
        reason = f"\n{after['error']}" if after["error"] else ""
        message = f"The process ended with {how}.{reason}"
        if fell or known["state"] not in _FALLEN:
            yield Event("ContainerCrashed", ERROR, message, name)
    if restarted:
        message = f"Started again, {after['restarts']} times so far."
        yield Event("ContainerRestarted", WARNING, message, name)
    if after["state"] == known["state"] and not restarted:
        return
    if after["state"] == "ready":
        yield Event("ContainerReady", INFORMATION, "The instance takes requests.", name)
    elif after["state"] == "unready":
        message = after["error"] or "The instance does not pass its readiness probe."
        yield Event("ContainerUnhealthy", WARNING, message, name)
    elif after["state"] == "crash-loop":
        message = f"It ends again and again; started {after['restarts']} times so far."
        yield Event("CrashLoopBackOff", ERROR, message, name)
