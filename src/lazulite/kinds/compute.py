"""Compute clusters: nodes that come with work and leave when idle.

A node is a detached supervisor process on this machine. Source: spec/BATCH.md 6, REST.md 7.2.
"""

from __future__ import annotations

import dataclasses
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from lazulite.arm.kind import Action, Answer, Call, Duration, Kind, Properties, Proposal
from lazulite.arm.watching import COMPUTE_WATCHING
from lazulite.batch.cluster import Demand, Node, NodeState, Plan, Scale, plan
from lazulite.core.clock import Clock
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError
from lazulite.core.ids import JOBS, fold, workspace_of
from lazulite.executors.protocol import Executor, Phase, Task
from lazulite.operations.reconciler import Step
from lazulite.runs.status import has_ended
from lazulite.runs.supervision import instance_count
from lazulite.store.resources import Json, Resource, Resources

WATCH = timedelta(seconds=2)
SOON = timedelta(milliseconds=50)


class ScaleSettings(Properties):
    """How many nodes, and how long an idle one stays."""

    min_node_count: int = Field(default=0, ge=0)
    max_node_count: int = Field(ge=1)
    node_idle_time_before_scale_down: Duration = "PT120S"


class AmlCompute(Properties):
    """The cluster itself; what this machine has no use for is kept as it came."""

    model_config = ConfigDict(extra="allow")
    vm_size: str = "Standard_DS3_v2"
    vm_priority: str = "Dedicated"
    scale_settings: ScaleSettings = Field(default_factory=lambda: ScaleSettings(max_node_count=4))


class Compute(Properties):
    """What every type of compute has."""

    compute_type: str
    description: str | None = None
    disable_local_auth: bool = False
    properties: AmlCompute = Field(default_factory=AmlCompute)


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Reconciles clusters. sockets: the short folder where nodes listen."""

    resources: Resources
    executor: Executor
    sockets: Path
    clock: Clock

    async def reconcile(self, cluster: Resource) -> Step:
        """See what the nodes do, hand them to jobs, start and stop what the plan says."""
        now = self.clock().timestamp()
        nodes = await self._seen(cluster, now)
        if cluster.deleting:
            return await self._take_down(cluster, nodes)
        demands = await self._demands(cluster)
        planned = plan(nodes, demands, _scale(cluster), now)
        serial = int(cluster.observed.get("serial", 0))
        started = [f"{cluster.uid[:12]}-n{serial + count}" for count in range(planned.start)]
        for node in started:
            await self.executor.ensure(self._task(node))
        await self._stop_leaving(planned.nodes)
        new = [Node(id=node, state=NodeState.PREPARING, since=now) for node in started]
        everyone = [*planned.nodes, *new]
        await self._tell_jobs(cluster, everyone)
        observed = _observed(everyone, planned, serial + planned.start)
        return Step(observed=observed, converged=True, after=_pause(everyone, planned))

    async def _seen(self, cluster: Resource, now: float) -> list[Node]:
        """The nodes that still live; one that listens is ready."""
        seen = []
        for fields in cluster.observed.get("nodes", ()):
            node = Node(**{**fields, "state": NodeState(fields["state"])})
            if await self.executor.observe(node.id) is not Phase.RUNNING:
                await self.executor.forget(node.id)
                continue
            if node.state is NodeState.PREPARING and self._socket(node.id).exists():
                node = dataclasses.replace(node, state=NodeState.IDLE, since=now)
            seen.append(node)
        return seen

    async def _demands(self, cluster: Resource) -> list[Demand]:
        workspace = workspace_of(cluster.id)
        jobs = await self.resources.unfinished(workspace, JOBS)
        return [
            Demand(job=job.uid, nodes=instance_count(job))
            for job in jobs
            if fold(job.properties["computeId"]) == cluster.key
            and not job.deleting
            and not has_ended(job)
        ]

    async def _stop_leaving(self, nodes: tuple[Node, ...]) -> None:
        for node in nodes:
            if node.state is NodeState.LEAVING:
                await self.executor.stop(node.id)

    async def _tell_jobs(self, cluster: Resource, nodes: list[Node]) -> None:
        """A job whose set of nodes changed must look at it."""
        before = {(node["id"], node["job"]) for node in cluster.observed.get("nodes", ())}
        after = {(node.id, node.job) for node in nodes}
        for uid in {job for _, job in before ^ after if job}:
            job = await self.resources.by_uid(uid)
            if job is not None and job.gone_at is None:
                await self.resources.touch(job.id)

    async def _take_down(self, cluster: Resource, nodes: list[Node]) -> Step:
        for node in nodes:
            await self.executor.stop(node.id)
        observed = {**cluster.observed, "nodes": [dataclasses.asdict(node) for node in nodes]}
        return Step(observed=observed, converged=not nodes, after=None if not nodes else SOON)

    def _task(self, node: str) -> Task:
        socket = str(self._socket(node))
        command = (sys.executable, "-m", "lazulite.executors.node", socket, node)
        return Task(name=node, command=command)

    def _socket(self, node: str) -> Path:
        return self.sockets / f"{node}.sock"


def compute(clusters: Clusters) -> Kind:
    """workspaces/computes: AmlCompute clusters."""
    return Kind(
        resource_type="workspaces/computes",
        properties=Compute,
        envelope=frozenset({"location", "tags", "sku", "identity"}),
        reconcile=clusters.reconcile,
        watching=COMPUTE_WATCHING,
        prepare=_checked,
        show=_show,
        actions={"listNodes": Action(perform=_list_nodes)},
    )


async def _checked(proposal: Proposal) -> Proposal:
    settings = proposal.properties["properties"]["scaleSettings"]
    if proposal.properties["computeType"].lower() != "amlcompute":
        raise ArmError(
            "ComputeTypeNotSupported",
            f"Computes of type {proposal.properties['computeType']!r} cannot run here: "
            "use AmlCompute.",
            target="computeType",
        )
    if settings["minNodeCount"] > settings["maxNodeCount"]:
        raise ArmError(
            "ValidationError",
            f"minNodeCount {settings['minNodeCount']} is larger than maxNodeCount "
            f"{settings['maxNodeCount']}.",
            target="scaleSettings",
        )
    properties = {**proposal.properties, "computeType": "AmlCompute"}
    return dataclasses.replace(proposal, properties=properties)


def _scale(cluster: Resource) -> Scale:
    settings: dict[str, Any] = cluster.properties["properties"]["scaleSettings"]
    idle = parse_duration(settings["nodeIdleTimeBeforeScaleDown"])
    return Scale(
        least=settings["minNodeCount"], most=settings["maxNodeCount"], idle_s=idle.total_seconds()
    )


def _observed(nodes: list[Node], planned: Plan, serial: int) -> Json:
    return {
        "nodes": [dataclasses.asdict(node) for node in nodes],
        "target": planned.target,
        "serial": serial,
    }


def _pause(nodes: list[Node], planned: Plan) -> timedelta | None:
    """Look again soon while nodes come or go; with none there is nothing to watch."""
    if any(node.state in {NodeState.PREPARING, NodeState.LEAVING} for node in nodes):
        return SOON
    return WATCH if nodes or planned.target else None


async def _show(cluster: Resource, base: str) -> Json:
    nodes = cluster.observed.get("nodes", [])
    target = cluster.observed.get("target", 0)
    counts = {
        f"{state}NodeCount": sum(node["state"] == state for node in nodes)
        for state in ("idle", "running", "preparing", "unusable", "leaving", "preempted")
    }
    shown = {
        **cluster.properties["properties"],
        "allocationState": "Steady" if len(nodes) == target else "Resizing",
        "currentNodeCount": len(nodes),
        "targetNodeCount": target,
        "nodeStateCounts": counts,
        "errors": None,
    }
    return {
        "computeLocation": cluster.envelope["location"],
        "resourceId": None,
        "isAttachedCompute": False,
        "properties": shown,
    }


async def _list_nodes(call: Call) -> Answer:
    nodes = [
        {
            "nodeId": node["id"],
            "privateIpAddress": "127.0.0.1",
            "publicIpAddress": None,
            "port": None,
            "nodeState": node["state"],
            "runId": node["job"],
        }
        for node in call.resource.observed.get("nodes", [])
    ]
    return Answer(body={"nodes": nodes, "nextLink": None})
