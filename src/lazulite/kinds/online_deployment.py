"""Online deployments: a model behind an endpoint, run by a keeper of replica processes.

A changed deployment starts a second keeper; the front door turns to it once all its replicas are
ready, and the first one drains. A change that processes do not know of, such as their number, is
made with those that run. Source: spec/REST.md 7.6, spec/ONLINE.md 5.5.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from lazulite.arm.bodies import read_form
from lazulite.arm.kind import ENDPOINT_NAME, Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.watching import Watching
from lazulite.computes.capacity import this_machine
from lazulite.core.clock import Clock
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import parent_of
from lazulite.deployments.leaving import is_unreachable, retiring, turned_from
from lazulite.deployments.logs import last_lines, tail
from lazulite.deployments.materials import Preparing, Workshop
from lazulite.deployments.online_properties import (
    MOST_INSTANCES,
    ONLINE_DEPLOYMENT_WIRE,
    OnlineDeployment,
    check_scale,
)
from lazulite.deployments.online_replicas import (
    adopted,
    needs_new_processes,
    present_task,
    replicas_of,
    serves_present,
    serving_of,
)
from lazulite.deployments.online_scaling import Scaling
from lazulite.deployments.online_views import WATCH, shown_on, watch_every
from lazulite.deployments.probes import check_probes
from lazulite.deployments.triton import refuse_bare_triton
from lazulite.deployments.unserved import Unserved, refuse_unserved
from lazulite.deployments.worker_count import check_worker_count
from lazulite.operations.reconciler import Step
from lazulite.serving.replica_health import failure, unwell
from lazulite.serving.replica_sets import ReplicaSets, ReplicaSpec, all_ready
from lazulite.store.resources import Json, Resource, Resources

NOW = timedelta(0)
SOON = timedelta(milliseconds=40)
SHORTEST, LONGEST = timedelta(milliseconds=1), timedelta(milliseconds=180_000)


UNSERVED = (
    Unserved(
        "endpointComputeType",
        "KubernetesNotSupported",
        "deployments run on this server, not on a cluster: use Managed",
        ("Kubernetes", "AzureMLCompute"),
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
    scaling: Scaling
    clock: Clock

    async def reconcile(self, deployment: Resource) -> Step:
        """One step: materials, then replicas, then the front door, then a watch."""
        observed = await self._swept(deployment)
        if deployment.deleting:
            return await self._taken_down(deployment, observed)
        serving = observed.get("serving")
        kept = await self._ensured(serving) if serving else {}
        if serving and serves_present(deployment, serving):
            return await self._watched(deployment, observed, kept)
        if (
            serving
            and kept.get("state") == "ready"
            and not needs_new_processes(deployment, serving)
        ):
            observed = {**observed, "serving": adopted(deployment, serving)}
            return await self._watched(deployment, observed, kept)
        try:
            return await self._rolled_out(deployment, observed)
        except SpecError as error:
            if not serving:
                raise
            observed = await self._published(observed)  # what served before goes on
            seen = {**observed, "replicas": kept.get("replicas", [])}
            return Step(observed=seen, converged=True, after=WATCH, error=error.body)

    async def _rolled_out(self, deployment: Resource, observed: Json) -> Step:
        """Bring the present generation up and turn to it. Raises SpecError if it does not start."""
        instances = self.scaling.begin(deployment)
        materials = await self.workshop.materials(deployment)
        if isinstance(materials, Preparing):
            return Step(observed={**observed, **materials.observed()}, converged=False, after=SOON)
        spec = replicas_of(deployment, materials, instances)
        status = await self.sets.ensure(deployment.task_name, spec)
        if status.get("state") in {"failed", "crash-loop"}:
            raise failure(status)
        observed = {**observed, "environment": materials.environment, "phase": "replicas"}
        if not all_ready(status, spec.processes):
            return Step(observed=observed, converged=False, after=SOON)
        turned = self._turned(observed, serving_of(deployment, spec, status, instances))
        return Step(observed=turned, converged=False, after=NOW)

    async def _watched(self, deployment: Resource, observed: Json, status: Json) -> Step:
        """Keep the front door as it should be; while a replica restarts, the rest serves on."""
        scaled = await self.scaling.step(deployment, observed, status)
        observed, serving = scaled.observed, scaled.observed["serving"]
        is_same = serving == deployment.observed.get("serving")
        if is_same:  # a change is served once it is in the row
            observed = await self._published(observed)
        ready = all_ready(status, len(serving["sockets"]))
        seen = {
            **observed,
            "phase": "ready" if ready else "replicas",
            "replicas": status.get("replicas", []),
            "isolation": status.get("isolation"),
            "restarts": status.get("restarts", 0),
        }
        error = unwell(status) or scaled.error
        converged = is_same and (scaled.is_reached or error is not None)
        after = watch_every(deployment, seen, is_well=error is None) if converged else SOON
        return Step(observed=seen, converged=converged, after=after, error=error)

    async def _published(self, observed: Json) -> Json:
        """Turn the front door to what the row says: what it turns from may stop later."""
        await self.publish()
        return turned_from(observed, self.clock().timestamp())

    async def _ensured(self, serving: Json) -> Json:
        """The set that serves, as it was started: what it was made from may be gone by now."""
        return await self.sets.ensure(serving["task"], ReplicaSpec(**serving["spec"]))

    async def get_logs(self, call: Call) -> Answer:
        """The last lines that the replicas, or the environment's build, wrote."""
        asked = read_form(LogsRequest, call.body)
        content = await asyncio.to_thread(self._log, call.resource, asked)
        return Answer(body={"content": content})

    def _log(self, deployment: Resource, asked: LogsRequest) -> str:
        if asked.container_type == "InferenceServer":
            return tail(self._logs(deployment), asked.tail)
        environment = deployment.observed.get("environment")
        log = self.workshop.environments.log(environment) if environment else b""
        return last_lines(log, asked.tail)

    def _logs(self, deployment: Resource) -> list[Path]:
        """Of the present generation; until it has any, of the one that serves, or came before."""
        serving, name = deployment.observed.get("serving"), present_task(deployment)
        found = self.sets.logs(name) or (self.sets.logs(serving["task"]) if serving else [])
        return found or self.sets.kept.before(name)

    def _turned(self, observed: Json, serving: Json) -> Json:
        """Serve the new replicas; the old ones stay until nothing can reach them any more."""
        old = observed.get("serving")
        leaving = [*observed["retiring"], *([retiring(old)] if old else [])]
        return {**observed, "serving": serving, "retiring": leaving, "leaving": None}

    async def _swept(self, deployment: Resource) -> Json:
        """Discard the sets of generations that serve no more, once nothing can reach them."""
        observed = deployment.observed
        now = self.clock().timestamp()
        staying = [
            old
            for old in observed.get("retiring", ())
            if not is_unreachable(old, now) or not await self.sets.discard(old["task"])
        ]
        needed = {old["task"] for old in staying} | {_serving_task(observed)}
        swept = int(observed.get("swept", 0))
        left = []
        for generation in range(swept + 1, deployment.generation):
            name = f"{deployment.uid}-{generation}"
            if name not in needed and not await self.sets.discard(name):
                left.append(generation)
        swept = min(left) - 1 if left else deployment.generation - 1
        return {**observed, "retiring": staying, "swept": max(0, swept)}

    async def _taken_down(self, deployment: Resource, observed: Json) -> Step:
        """Out of the front door first; then the sweep of the next step stops the replicas."""
        self.scaling.forget(deployment)
        if serving := observed.get("serving"):
            await self.publish()
            ending = [{**old, "until": 0} for old in observed["retiring"]]
            ending.append({"task": serving["task"], "until": 0})
            cleared = {**observed, "serving": None, "retiring": ending}
            return Step(observed=cleared, converged=False, after=NOW)
        gone = observed["swept"] == deployment.generation - 1 and not observed["retiring"]
        return Step(observed=observed, converged=gone, after=None if gone else SOON)


def online_deployment(deployments: OnlineDeployments) -> Kind:
    """workspaces/onlineEndpoints/deployments."""

    async def skus(call: Call) -> Answer:
        capacity = {"default": 1, "minimum": 1, "maximum": MOST_INSTANCES, "scaleType": "Automatic"}
        sku = {"name": "Default", "tier": "Standard"}
        kind = "Microsoft.MachineLearning.Services/endpoints/deployments"
        entry = {"capacity": capacity, "resourceType": kind, "sku": sku}
        return Answer(body={"value": [entry], "nextLink": None})

    async def checked(proposal: Proposal) -> Proposal:
        await refuse_bare_triton(deployments.resources, proposal.id, proposal.properties)
        return await _checked(proposal)

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
        prepare=checked,
        may_delete=may_delete,
        reconcile=deployments.reconcile,
        show=shown_on(this_machine().cores),
        has_operation_uri=True,
        watching=Watching(prefix="odidp"),
        actions={
            "getLogs": Action(perform=deployments.get_logs, form=LogsRequest),
            "skus": Action(perform=skus, method="GET", permission="read"),
        },
    )


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
    check_probes(proposal.properties)
    check_scale(proposal.properties["scaleSettings"])
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


def _serving_task(observed: Json) -> str | None:
    serving = observed.get("serving")
    return serving["task"] if serving else None
