"""What an online deployment shows beside what was said of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from lazulite.core.durations import parse_duration
from lazulite.deployments.online_replicas import capacity, utilization_scale
from lazulite.deployments.worker_count import worker_count
from lazulite.store.resources import Json, Resource

WATCH, REST = timedelta(seconds=2), timedelta(seconds=30)


def watch_every(deployment: Resource, seen: Json, *, is_well: bool) -> timedelta:
    """How often to look at it: as often as it wants to be scaled, and often while it is not well.

    One that is as it should be rests: a Vigil tells what happens to it. seen: as observed now;
    is_well: without an error.
    """
    scale = utilization_scale(deployment)
    if scale is not None:
        return min(WATCH, parse_duration(scale.polling_interval))
    is_swept = seen["swept"] == deployment.generation - 1
    is_calm = is_swept and not seen["retiring"] and not seen["leaving"]
    return REST if is_well and is_calm and seen["phase"] == "ready" else WATCH


def shown_on(cores: int) -> Callable[[Resource, str], Awaitable[Json]]:
    """Instances and replicas as they are now, on a machine of so many cores."""
    fields = ("index", "state", "restarts", "exit", "error")

    async def show(deployment: Resource, base: str) -> Json:
        observed = deployment.observed
        replicas = observed.get("replicas", [])
        return {
            "instanceCount": _instances(deployment),
            "runningInstances": (observed.get("serving") or {}).get("instances", 0),
            "capacityNotice": _notice(deployment, cores),
            "scaleError": (observed.get("refused") or {}).get("error"),
            "isolation": observed.get("isolation"),
            "keeperRestarts": observed.get("restarts", 0),
            "replicas": [{key: replica.get(key) for key in fields} for replica in replicas],
        }

    return show


def _instances(deployment: Resource) -> int:
    serving = deployment.observed.get("serving")
    if utilization_scale(deployment) is None or not serving:
        return capacity(deployment)
    return int(serving["instances"])


def _notice(deployment: Resource, cores: int) -> str | None:
    """Said, not refused: processes may wait more than they compute."""
    scale = utilization_scale(deployment)
    most = capacity(deployment) if scale is None else scale.max_instances
    processes = most * worker_count(deployment.properties)
    if processes <= cores:
        return None
    return (
        f"{processes} processes share the {cores} cores of this machine: more than {cores} do not "
        "compute faster."
    )
