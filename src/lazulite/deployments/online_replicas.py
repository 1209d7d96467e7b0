"""From an online deployment to the processes that serve it, and to what the front door is told.

Source: spec/REST.md 7.6, spec/ONLINE.md 5.5.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.core.durations import parse_duration
from lazulite.deployments.materials import Materials
from lazulite.deployments.online_properties import UtilizationScale
from lazulite.deployments.own_servers import own_replicas
from lazulite.deployments.probes import probe_of
from lazulite.deployments.worker_count import worker_count
from lazulite.serving.replica_sets import ReplicaSpec
from lazulite.store.resources import Json, Resource

LINGER_S = 6.0
"""The longest that the front door keeps an idle connection to an old configuration."""
LONGEST_COLD_S = 60.0
"""A request that wakes a deployment waits so long at most, besides its own time limit."""
HARMLESS = frozenset(
    {
        *("description", "properties", "scaleSettings", "instanceCount", "instanceRange"),
        *("appInsightsEnabled", "instanceType"),
    }
)
"""Properties that processes do not know of."""


def capacity(deployment: Resource) -> int:
    """How many instances sku.capacity says."""
    return int((deployment.envelope.get("sku") or {}).get("capacity") or 1)


def utilization_scale(deployment: Resource) -> UtilizationScale | None:
    """How the number of instances follows the load; None: it does not."""
    scale = deployment.properties["scaleSettings"]
    if scale["scaleType"] != "TargetUtilization":
        return None
    return UtilizationScale.model_validate(scale)


def capacity_is_fixed(deployment: Resource) -> bool:
    """Whether the caller says how many instances there are, not the load."""
    return utilization_scale(deployment) is None


def replicas_of(deployment: Resource, materials: Materials, instances: int) -> ReplicaSpec:
    """What its processes are started with. Raises SpecError for an image that cannot score."""
    if materials.server is not None:
        return own_replicas(deployment, materials, instances, init_timeout_s(deployment))
    return ReplicaSpec(
        python=materials.python,
        processes=instances * processes_per_instance(deployment),
        env={**_variables(deployment), **materials.variables()},
        code_dir=materials.code_dir or materials.model_dir,
        init_timeout_s=init_timeout_s(deployment),
        request_timeout_ms=_milliseconds(deployment, "requestTimeout"),
        sandbox=materials.sandbox.to_json(),
        liveness=dataclasses.asdict(probe_of(deployment.properties, "livenessProbe")),
        readiness=dataclasses.asdict(probe_of(deployment.properties, "readinessProbe")),
    )


def processes_per_instance(deployment: Resource) -> int:
    """One, or what WORKER_COUNT says."""
    return worker_count(deployment.properties)


def serving_of(
    deployment: Resource, spec: ReplicaSpec, status: Mapping[str, Any], instances: int
) -> Json:
    """What the row says under observed.serving of a set that is ready."""
    return {
        "task": deployment.task_name,
        "spec": dataclasses.asdict(spec),
        "sockets": [replica["socket"] for replica in status["replicas"]],
        "waitingSocket": status["waiting_socket"],
        "instances": instances,
        "perInstance": spec.processes // instances,
        "asleep": False,
        **_rules(deployment),
    }


def adopted(deployment: Resource, serving: Json) -> Json:
    """The same set for the present generation: what changed concerns the front door only."""
    return {**serving, **_rules(deployment)}


def needs_new_processes(deployment: Resource, serving: Json) -> bool:
    """Whether the present generation cannot be served by the processes that are there."""
    return bool(serving.get("made") != _made(deployment))


def serves_present(deployment: Resource, serving: Json) -> bool:
    """Whether what is served is what the present generation asks for."""
    generation = serving.get("generation") or int(serving["task"].rpartition("-")[2])
    return bool(generation == deployment.generation)


def present_task(deployment: Resource) -> str:
    """The set of the present generation, whether it serves yet or not."""
    serving: Json | None = deployment.observed.get("serving")
    if serving and serves_present(deployment, serving):
        return str(serving["task"])
    return deployment.task_name


def completed(serving: Json) -> Json:
    """With what earlier releases did not write."""
    processes, instances = serving["spec"]["processes"], serving["instances"]
    return {"perInstance": processes // max(1, instances), "asleep": False, **serving}


def reachable_s(serving: Json) -> float:
    """How long processes may still get requests after the front door has turned from them."""
    return float(LINGER_S + (serving["requestTimeoutMs"] + serving["maxQueueWaitMs"]) / 1000)


def init_timeout_s(deployment: Resource) -> float:
    """As long as Azure's readiness probe would go on trying."""
    probe = probe_of(deployment.properties, "readinessProbe")
    return probe.delay_s + probe.period_s * probe.failures


def _rules(deployment: Resource) -> Json:
    scale = utilization_scale(deployment)
    most = capacity(deployment) if scale is None else scale.max_instances
    can_sleep = scale is not None and scale.min_instances == 0
    cold_s = min(LONGEST_COLD_S, init_timeout_s(deployment)) if can_sleep else 0.0
    settings = deployment.properties["requestSettings"]
    return {
        "generation": deployment.generation,
        "made": _made(deployment),
        "requestTimeoutMs": _milliseconds(deployment, "requestTimeout"),
        "maxQueueWaitMs": max(1, _milliseconds(deployment, "maxQueueWait")),
        "maxConcurrent": settings["maxConcurrentRequestsPerInstance"],
        "mostInstances": most,
        "coldMs": int(1000 * cold_s),
    }


def _made(deployment: Resource) -> Json:
    given = deployment.properties
    made = {name: value for name, value in given.items() if name not in HARMLESS}
    return {
        **made,
        "requestSettings": {"requestTimeout": given["requestSettings"]["requestTimeout"]},
    }


def _milliseconds(deployment: Resource, setting: str) -> int:
    text = deployment.properties["requestSettings"][setting]
    return int(parse_duration(text, setting).total_seconds() * 1000)


def _variables(deployment: Resource) -> dict[str, str]:
    given = deployment.properties["environmentVariables"]
    return {key: str(value) for key, value in given.items() if value is not None}
