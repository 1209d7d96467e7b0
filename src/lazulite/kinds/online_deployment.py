"""Online deployments: a model behind an endpoint, run by a keeper of replica processes.

A changed deployment starts a second keeper; the front door turns to it once all its replicas are
ready, and the first one drains. Source: spec/REST.md 7.6, spec/ONLINE.md 5.5.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from lazulite.arm.bodies import read_form
from lazulite.arm.kind import ENDPOINT_NAME, Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.watching import Watching
from lazulite.core.clock import Clock
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import parent_of
from lazulite.deployments.logs import last_lines, tail
from lazulite.deployments.materials import Materials, Preparing, Workshop
from lazulite.deployments.online_properties import (
    MOST_INSTANCES,
    ONLINE_DEPLOYMENT_WIRE,
    OnlineDeployment,
    ProbeSettings,
)
from lazulite.deployments.own_servers import own_replicas
from lazulite.deployments.unserved import Unserved, refuse_unserved
from lazulite.deployments.worker_count import check_worker_count, worker_count
from lazulite.operations.reconciler import Step
from lazulite.serving.replica_sets import ReplicaSets, ReplicaSpec, all_ready
from lazulite.store.resources import Json, Resource, Resources

NOW = timedelta(0)
SOON = timedelta(milliseconds=40)
WATCH = timedelta(seconds=2)
LINGER_S = 6.0  # longest that the front door keeps an idle connection to an old configuration
SHORTEST, LONGEST = timedelta(milliseconds=1), timedelta(milliseconds=180_000)


UNSERVED = (
    Unserved(
        "endpointComputeType",
        "KubernetesNotSupported",
        "deployments run on this server, not on a cluster: use Managed",
        ("Kubernetes", "AzureMLCompute"),
    ),
    Unserved(
        "scaleSettings.scaleType",
        "ScaleTypeNotSupported",
        "use Default (Manual in 2021-03-01-preview) and say the number of instances",
        ("TargetUtilization",),
    ),
    Unserved(
        "egressPublicNetworkAccess",
        "NetworkIsolationNotSupported",
        "leave it Enabled, and restrict what the server may reach with a firewall",
        ("Disabled",),
    ),
    Unserved(
        "privateNetworkConnection",
        "NetworkIsolationNotSupported",
        "leave it out, and restrict what the server may reach with a firewall",
    ),
)


class Sku(Properties):
    """How many instances there are; the rest is kept."""

    name: str = "Default"
    tier: Literal["Free", "Basic", "Standard", "Premium"] | None = None
    size: str | None = None
    family: str | None = None
    capacity: int = Field(default=1, ge=1, le=MOST_INSTANCES)


class Scaled(Properties):
    """The part of a deployment beside its properties that is read here."""

    sku: Sku = Field(default_factory=Sku)


class LogsRequest(Properties):
    """The body of getLogs."""

    container_type: Literal["InferenceServer", "StorageInitializer"] = "InferenceServer"
    tail: int = Field(default=100, ge=1, le=2**31 - 1)  # lines


@dataclasses.dataclass(frozen=True)
class OnlineDeployments:
    """Reconciles deployments and answers for them."""

    resources: Resources
    workshop: Workshop
    sets: ReplicaSets
    publish: Callable[[], Awaitable[object]]
    """Makes the front door serve what the resource table says."""
    clock: Clock

    async def reconcile(self, deployment: Resource) -> Step:
        """One step: materials, then replicas, then the front door, then a watch."""
        observed = await self._swept(deployment)
        if deployment.deleting:
            return await self._taken_down(deployment, observed)
        serving = observed.get("serving")
        kept = await self._ensured(serving) if serving else {}
        if serving and serving["task"] == deployment.task_name:
            return await self._watched(observed, kept)
        try:
            return await self._rolled_out(deployment, observed)
        except SpecError as error:
            if not serving:
                raise
            await self.publish()  # what served before goes on
            return Step(observed=observed, converged=True, after=WATCH, error=error.body)

    async def _rolled_out(self, deployment: Resource, observed: Json) -> Step:
        """Bring the present generation up and turn to it. Raises SpecError if it does not start."""
        materials = await self.workshop.materials(deployment)
        if isinstance(materials, Preparing):
            return Step(observed={**observed, **materials.observed()}, converged=False, after=SOON)
        spec = _replicas(deployment, materials)
        status = await self.sets.ensure(deployment.task_name, spec)
        if status.get("state") == "failed":
            raise _failure(status)
        observed = {**observed, "environment": materials.environment, "phase": "replicas"}
        if not all_ready(status):
            return Step(observed=observed, converged=False, after=SOON)
        turned = self._turned(observed, _serving(deployment, spec, status))
        return Step(observed=turned, converged=False, after=NOW)

    async def _watched(self, observed: Json, status: Json) -> Step:
        """Keep the front door as it should be; while a replica restarts, the rest serves on."""
        await self.publish()
        error = _failure(status).body if status.get("state") == "failed" else None
        phase = "ready" if all_ready(status) else "replicas"
        replicas, isolation = status.get("replicas", []), status.get("isolation")
        seen = {**observed, "phase": phase, "replicas": replicas, "isolation": isolation}
        return Step(observed=seen, converged=True, after=WATCH, error=error)

    async def _ensured(self, serving: Json) -> Json:
        """The set that serves, as it was started: what it was made from may be gone by now."""
        return await self.sets.ensure(serving["task"], ReplicaSpec(**serving["spec"]))

    async def get_logs(self, call: Call) -> Answer:
        """The last lines that the replicas, or the environment's build, wrote."""
        asked = read_form(LogsRequest, call.body)
        if asked.container_type == "StorageInitializer":
            environment = call.resource.observed.get("environment")
            log = self.workshop.environments.log(environment) if environment else b""
            return Answer(body={"content": last_lines(log, asked.tail)})
        return Answer(body={"content": tail(self._logs(call.resource), asked.tail)})

    def _logs(self, deployment: Resource) -> list[Path]:
        """Of the present generation; until it has any, of the one that serves, or came before."""
        serving, name = _serving_task(deployment.observed), deployment.task_name
        found = self.sets.logs(name) or (self.sets.logs(serving) if serving else [])
        return found or self.sets.kept.before(name)

    def _turned(self, observed: Json, serving: Json) -> Json:
        """Serve the new replicas; the old ones stay until nothing can reach them any more."""
        old = observed.get("serving")
        retiring = list(observed["retiring"])
        if old:
            wait = LINGER_S + (old["requestTimeoutMs"] + old["maxQueueWaitMs"]) / 1000
            retiring.append({"task": old["task"], "until": self.clock().timestamp() + wait})
        return {**observed, "serving": serving, "retiring": retiring}

    async def _swept(self, deployment: Resource) -> Json:
        """Discard the sets of generations that serve no more, once nothing can reach them."""
        observed = deployment.observed
        now = self.clock().timestamp()
        retiring = [old for old in observed.get("retiring", ()) if now < old["until"]]
        needed = {old["task"] for old in retiring} | {_serving_task(observed)}
        swept = int(observed.get("swept", 0))
        left = []
        for generation in range(swept + 1, deployment.generation):
            name = f"{deployment.uid}-{generation}"
            if name in needed or not await self.sets.discard(name):
                left.append(generation)
        swept = min(left) - 1 if left else deployment.generation - 1
        return {**observed, "retiring": retiring, "swept": max(0, swept)}

    async def _taken_down(self, deployment: Resource, observed: Json) -> Step:
        """Out of the front door first; then the sweep of the next step stops the replicas."""
        if observed.get("serving") or observed["retiring"]:
            await self.publish()
            cleared = {**observed, "serving": None, "retiring": []}
            return Step(observed=cleared, converged=False, after=NOW)
        gone = observed["swept"] == deployment.generation - 1
        return Step(observed=observed, converged=gone, after=None if gone else SOON)


def online_deployment(deployments: OnlineDeployments) -> Kind:
    """workspaces/onlineEndpoints/deployments."""

    async def skus(call: Call) -> Answer:
        capacity = {"default": 1, "minimum": 1, "maximum": MOST_INSTANCES, "scaleType": "Automatic"}
        sku = {"name": "Default", "tier": "Standard"}
        kind = "Microsoft.MachineLearning.Services/endpoints/deployments"
        entry = {"capacity": capacity, "resourceType": kind, "sku": sku}
        return Answer(body={"value": [entry], "nextLink": None})

    async def may_delete(deployment: Resource) -> None:
        endpoint = await deployments.resources.find(parent_of(deployment.id))
        shares = {} if endpoint is None else endpoint.properties["traffic"]
        share = next((shares[key] for key in shares if key.lower() == deployment.name.lower()), 0)
        if share:
            raise ArmError(
                "Conflict",
                f"The deployment {deployment.name!r} takes {share} % of the traffic: set its "
                "share to 0 before you delete it.",
                409,
            )

    return Kind(
        resource_type="workspaces/onlineEndpoints/deployments",
        name=ENDPOINT_NAME,
        properties=OnlineDeployment,
        wire=ONLINE_DEPLOYMENT_WIRE,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        prepare=_checked,
        may_delete=may_delete,
        reconcile=deployments.reconcile,
        show=_show,
        has_operation_uri=True,
        watching=Watching(prefix="odidp"),
        actions={
            "getLogs": Action(perform=deployments.get_logs, form=LogsRequest),
            "skus": Action(perform=skus, method="GET", permission="read"),
        },
    )


def instances(deployment: Resource) -> int:
    """How many there are to be."""
    return int((deployment.envelope.get("sku") or {}).get("capacity") or 1)


async def _checked(proposal: Proposal) -> Proposal:
    """Limits that Azure has, too. Source: spec/ONLINE.md 5.5."""
    refuse_unserved(proposal.properties, UNSERVED)
    _refuse_collection(proposal.properties["dataCollector"])
    settings = proposal.properties["requestSettings"]
    for name in ("requestTimeout", "maxQueueWait"):
        if not SHORTEST <= parse_duration(settings[name]) <= LONGEST:
            raise ArmError(
                "ValidationError",
                f"{name} is {settings[name]}: it must be from PT0.001S to PT180S.",
                target=f"requestSettings.{name}",
            )
    check_worker_count(proposal.properties)
    return _counted(proposal)


def _refuse_collection(collector: Json | None) -> None:
    """Nothing is collected here, so nobody must think so."""
    collections = (collector or {}).get("collections", {})
    for name, collection in collections.items():
        if collection["dataCollectionMode"] == "Enabled":
            message = f"The collection {name!r} is Enabled: data is not collected here, disable it."
            raise ArmError("DataCollectorNotSupported", message, target="dataCollector")


def _counted(proposal: Proposal) -> Proposal:
    """sku.capacity, whichever way it was said: 2021-03-01-preview has it in scaleSettings."""
    count = proposal.properties["instanceCount"]
    sku = read_form(Scaled, {"sku": proposal.envelope.get("sku")}).sku
    if count is not None:
        sku = sku.model_copy(update={"capacity": count})
    return dataclasses.replace(
        proposal,
        properties={**proposal.properties, "instanceCount": None},
        envelope={**proposal.envelope, "sku": sku.model_dump(exclude_none=True)},
    )


def _replicas(deployment: Resource, materials: Materials) -> ReplicaSpec:
    if materials.server is not None:
        return own_replicas(deployment, materials, instances(deployment), _init_timeout(deployment))
    return ReplicaSpec(
        python=materials.python,
        processes=instances(deployment) * worker_count(deployment.properties),
        env={**_variables(deployment), **materials.variables()},
        code_dir=materials.code_dir or materials.model_dir,
        init_timeout_s=_init_timeout(deployment),
        request_timeout_ms=_milliseconds(deployment, "requestTimeout"),
        sandbox=materials.sandbox.to_json(),
    )


def _serving(deployment: Resource, spec: ReplicaSpec, status: Mapping[str, Any]) -> Json:
    settings = deployment.properties["requestSettings"]
    return {
        "task": deployment.task_name,
        "spec": dataclasses.asdict(spec),
        "sockets": [replica["socket"] for replica in status["replicas"]],
        "waitingSocket": status["waiting_socket"],
        "requestTimeoutMs": _milliseconds(deployment, "requestTimeout"),
        "maxQueueWaitMs": max(1, _milliseconds(deployment, "maxQueueWait")),
        "maxConcurrent": settings["maxConcurrentRequestsPerInstance"],
        "instances": instances(deployment),
    }


def _milliseconds(deployment: Resource, setting: str) -> int:
    text = deployment.properties["requestSettings"][setting]
    return int(parse_duration(text, setting).total_seconds() * 1000)


def _init_timeout(deployment: Resource) -> float:
    """As long as Azure's readiness probe would go on trying."""
    probe = deployment.properties.get("readinessProbe") or ProbeSettings().model_dump(by_alias=True)
    period = parse_duration(probe["period"], "readinessProbe.period").total_seconds()
    delay = parse_duration(probe["initialDelay"], "readinessProbe.initialDelay").total_seconds()
    return delay + period * int(probe["failureThreshold"])


def _variables(deployment: Resource) -> dict[str, str]:
    given = deployment.properties["environmentVariables"]
    return {key: str(value) for key, value in given.items() if value is not None}


def _serving_task(observed: Json) -> str | None:
    serving = observed.get("serving")
    return serving["task"] if serving else None


def _failure(status: Mapping[str, Any]) -> SpecError:
    error = status.get("error") or {}
    code = error.get("code") or "ReplicaFailed"
    return SpecError(code, error.get("message") or "The replicas did not start.")


async def _show(deployment: Resource, base: str) -> Json:
    replicas = deployment.observed.get("replicas", [])
    return {
        "instanceCount": instances(deployment),
        "isolation": deployment.observed.get("isolation"),
        "replicas": [
            {key: replica.get(key) for key in ("index", "state", "restarts")}
            for replica in replicas
        ],
    }
