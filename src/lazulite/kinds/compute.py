"""Computes: clusters, whose nodes come with work and leave when idle, instances, and records.

A node is a detached supervisor process on this machine; an instance is one node that is there
while it is started. Source: spec/BATCH.md 6, REST.md 7.2.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import NAME, Kind
from lazulite.arm.watching import COMPUTE_WATCHING
from lazulite.batch.cluster import Node, NodeState, Plan, Scale, plan
from lazulite.batch.shares import Demand
from lazulite.computes import power
from lazulite.computes.answers import ComputeAnswers, runs_here
from lazulite.computes.cluster_view import evicted, is_steady, nodes_of
from lazulite.computes.node_tasks import NodeTasks
from lazulite.computes.types import COMPUTE_WIRE, AnyCompute
from lazulite.core.clock import Clock
from lazulite.core.durations import parse_duration
from lazulite.core.ids import JOBS, fold, workspace_of
from lazulite.executors.protocol import Executor
from lazulite.operations.reconciler import Step
from lazulite.runs.supervision import instance_count, is_in_line
from lazulite.store.resources import Json, Resource, Resources

WATCH = timedelta(seconds=2)
SOON = timedelta(milliseconds=50)


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Reconciles clusters. sockets: the short folder where nodes listen."""

    resources: Resources
    executor: Executor
    sockets: Path
    clock: Clock

    @property
    def tasks(self) -> NodeTasks:
        """The processes behind the nodes."""
        return NodeTasks(self.executor, self.sockets)

    async def reconcile(self, cluster: Resource) -> Step:
        """See what the nodes do, hand them to jobs, start and stop what the plan says."""
        if not runs_here(cluster):
            return Step(observed=cluster.observed, converged=True)
        now = self.clock().timestamp()
        nodes = await self.tasks.seen(nodes_of(cluster), evicted(cluster), now)
        if cluster.deleting:
            return await self._take_down(cluster, nodes)
        if power.is_off(cluster):
            return await self._switched_off(cluster, nodes)
        demands = await self._demands(cluster)
        planned = plan(nodes, demands, _scale(cluster), now)
        serial = int(cluster.observed.get("serial", 0))
        ids = [f"{cluster.uid[:12]}-n{serial + count}" for count in range(planned.start)]
        new = [await self.tasks.start(node, now) for node in ids]
        await self.tasks.stop(planned.nodes)
        everyone = [*planned.nodes, *new]
        await self._tell_jobs(cluster, everyone)
        observed = self._observed(cluster, everyone, planned)
        is_there = not power.is_instance(cluster) or _is_ready(everyone)
        return Step(observed=observed, converged=is_there, after=_pause(everyone, planned))

    async def _demands(self, cluster: Resource) -> list[Demand]:
        """The jobs that can use a node: one whose environment is still made waits without."""
        workspace = workspace_of(cluster.id)
        jobs = await self.resources.unfinished(workspace, JOBS)
        return [
            Demand(job=job.uid, nodes=instance_count(job))
            for job in jobs
            if fold(job.properties["computeId"]) == cluster.key
            and not job.deleting
            and is_in_line(job)
        ]

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

    async def _switched_off(self, instance: Resource, nodes: list[Node]) -> Step:
        """A stopped instance has no node; one that restarts has none for a moment."""
        await self._tell_jobs(instance, [])
        step = await self._take_down(instance, [dataclasses.replace(n, job=None) for n in nodes])
        if not step.converged or not power.is_restarting(instance):
            return step
        observed = {**step.observed, "restarts": power.restarts(instance)}
        return Step(observed=observed, converged=False, after=SOON)

    def _observed(self, cluster: Resource, nodes: list[Node], planned: Plan) -> Json:
        before = cluster.observed
        turned = is_steady(nodes_of(cluster), before.get("target", 0)) != is_steady(
            nodes, planned.target
        )
        return {
            **before,
            "nodes": [dataclasses.asdict(node) for node in nodes],
            "target": planned.target,
            "serial": int(before.get("serial", 0)) + planned.start,
            "allocated": timestamp(self.clock()) if turned else before.get("allocated"),
        }


def compute(clusters: Clusters, answers: ComputeAnswers) -> Kind:
    """workspaces/computes: of all types; what is attached is a record that nothing runs on."""
    return Kind(
        resource_type="workspaces/computes",
        properties=AnyCompute,
        wire=COMPUTE_WIRE,
        name=NAME,
        envelope=frozenset({"location", "tags", "sku", "identity"}),
        reconcile=clusters.reconcile,
        watching=COMPUTE_WATCHING,
        prepare=answers.prepare,
        may_delete_so=answers.may_delete,
        show=answers.show,
        actions=answers.actions(),
    )


def _scale(cluster: Resource) -> Scale:
    if power.is_instance(cluster):
        return Scale(least=1, most=1, idle_s=0)
    settings: dict[str, Any] = cluster.properties["properties"]["scaleSettings"]
    idle = parse_duration(settings["nodeIdleTimeBeforeScaleDown"])
    return Scale(
        least=settings["minNodeCount"], most=settings["maxNodeCount"], idle_s=idle.total_seconds()
    )


def _is_ready(nodes: list[Node]) -> bool:
    return any(node.state in {NodeState.IDLE, NodeState.RUNNING} for node in nodes)


def _pause(nodes: list[Node], planned: Plan) -> timedelta | None:
    """Look again soon while nodes come or go; with none there is nothing to watch."""
    if any(node.state in {NodeState.PREPARING, NodeState.LEAVING} for node in nodes):
        return SOON
    return WATCH if nodes or planned.target else None
