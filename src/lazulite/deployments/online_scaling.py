"""The number of instances of a running deployment: processes come and go, the others stay.

More: once the new ones are ready, the front door is told of them. Fewer: the front door turns from
them first, and they stop once nothing can reach them any more. Source: spec/REST.md 7.6.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.core.clock import Clock
from lazulite.core.durations import parse_duration
from lazulite.core.ids import name_of, parent_of
from lazulite.deployments.leaving import is_unreachable, leaving
from lazulite.deployments.online_properties import UtilizationScale
from lazulite.deployments.online_replicas import (
    capacity,
    capacity_is_fixed,
    completed,
    utilization_scale,
)
from lazulite.serving.loads import Loads
from lazulite.serving.replica_sets import ReplicaSets, all_ready
from lazulite.serving.utilization import Demand, Target
from lazulite.store.resources import Json, Resource

RETRY_S = 60.0
"""After instances that the load asked for did not start."""


@dataclasses.dataclass(frozen=True)
class Scaled:
    """What one step came to."""

    observed: Json
    is_reached: bool
    """Whether as many instances serve as are to."""
    error: Json | None = None
    """Why more of them do not start, though the caller has said how many."""


@dataclasses.dataclass(frozen=True)
class Scaling:
    """Brings deployments to their number of instances."""

    sets: ReplicaSets
    loads: Loads
    clock: Clock
    demands: dict[str, Demand] = dataclasses.field(default_factory=dict)
    """By uid of the deployment. They are lost with the process, and gathered again."""

    def begin(self, deployment: Resource) -> int:
        """With how many instances a new set begins; one at least, to see that it starts."""
        serving = deployment.observed.get("serving") or {}
        scale = utilization_scale(deployment)
        if scale is None:
            return capacity(deployment)
        present = int(serving.get("instances") or 0)
        return max(1, scale.min_instances, min(present, scale.max_instances))

    def forget(self, deployment: Resource) -> None:
        """It is leaving. Safe to repeat."""
        self.demands.pop(deployment.uid, None)

    async def step(self, deployment: Resource, observed: Json, status: Mapping[str, Any]) -> Scaled:
        """Go one step towards the number that is wanted."""
        now = self.clock().timestamp()
        serving = completed(observed["serving"])
        target = await self._target(deployment, serving, status, now)
        refused = _refused(deployment, observed, target, now)
        serves, reached = int(serving["instances"]), target
        if refused is not None:
            reached = serves
        elif target > serves and (error := _looping(status, serves * serving["perInstance"])):
            refused = {"generation": deployment.generation, "instances": target, "at": now}
            refused["error"], reached = error, serves
        left: Json | None = observed.get("leaving")
        if reached < serves:
            most = max(serves, left["instances"] if left else 0)
            left = {"instances": most, **leaving(serving)}
            serving = resized(serving, reached, [])
        elif reached > serves and all_ready(status, reached * serving["perInstance"]):
            serving = resized(serving, reached, status["replicas"])
        if left and is_unreachable(left, now):
            left = None
        serving = await self._ordered(serving, max(reached, left["instances"] if left else 0))
        return Scaled(
            {**observed, "serving": serving, "leaving": left, "refused": refused},
            is_reached=serving["instances"] == target,
            error=refused["error"] if refused and capacity_is_fixed(deployment) else None,
        )

    async def _ordered(self, serving: Json, instances: int) -> Json:
        """Have the keeper keep so many; at none it sleeps, ready to start one."""
        asleep = instances == 0
        processes = max(1, instances) * serving["perInstance"]
        await self.sets.resize(serving["task"], processes, asleep=asleep)
        spec = {**serving["spec"], "processes": processes, "asleep": asleep}
        return {**serving, "spec": spec, "asleep": asleep}

    async def _target(
        self, deployment: Resource, serving: Json, status: Mapping[str, Any], now: float
    ) -> int:
        scale = utilization_scale(deployment)
        if scale is None:
            return capacity(deployment)
        demand = self.demands.setdefault(deployment.uid, Demand(now))
        if serving["asleep"] and _is_awake(status):
            demand.want(now, 1)
        load = await self.loads.of(name_of(parent_of(deployment.id)), deployment.name)
        present = int(serving["instances"])
        return demand.instances(load, now, target_of(scale, serving), present)


def target_of(scale: UtilizationScale, serving: Json) -> Target:
    """scale_settings, with what an instance takes."""
    return Target(
        least=scale.min_instances,
        most=scale.max_instances,
        percent=scale.target_utilization_percentage,
        per_instance=serving["maxConcurrent"],
        poll_s=parse_duration(scale.polling_interval).total_seconds(),
    )


def resized(serving: Json, instances: int, replicas: list[Json]) -> Json:
    """With that many instances. replicas: the keeper's, where there are to be more."""
    processes = instances * serving["perInstance"]
    sockets = serving["sockets"][:processes]
    if replicas:
        sockets = [one["socket"] for one in replicas if one["index"] < processes]
    return {**serving, "instances": instances, "sockets": sockets}


def _is_awake(status: Mapping[str, Any]) -> bool:
    """Whether a request has woken a set that was told to sleep."""
    staying = [one for one in status.get("replicas", []) if one["state"] != "stopping"]
    return not status.get("asleep", True) and bool(staying)


def _refused(deployment: Resource, observed: Json, target: int, now: float) -> Json | None:
    """The last failure to have more, as long as it speaks against trying again."""
    last: Json | None = observed.get("refused")
    if last is None or last["generation"] != deployment.generation or target < last["instances"]:
        return None
    return last if capacity_is_fixed(deployment) or now - last["at"] < RETRY_S else None


def _looping(status: Mapping[str, Any], processes: int) -> Json | None:
    """Why replicas beyond the first so many do not come up, if they end again and again."""
    for replica in status.get("replicas", []):
        if replica["index"] >= processes and replica["state"] == "crash-loop":
            return {
                "code": "ResourceNotReady",
                "message": f"More instances could not be started; those that ran go on. Replica "
                f"{replica['index']} ended {replica['restarts'] + 1} times, last with "
                f"{replica['exit']}:\n{replica['error'] or 'it said nothing'}",
            }
    return None
