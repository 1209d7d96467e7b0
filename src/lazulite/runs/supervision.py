"""What all sorts of jobs share: nodes of a cluster, a folder, and a supervisor that is watched."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from lazulite.arm.envelope import timestamp
from lazulite.arm.references import find_one, refuse_too_many
from lazulite.core.errors import SpecError
from lazulite.core.ids import workspace_of
from lazulite.deployments.blob_paths import Delivery
from lazulite.executors.launch import Sandbox
from lazulite.executors.protocol import Executor, Phase, Task
from lazulite.operations.reconciler import Step
from lazulite.remote.background import StillFetching
from lazulite.runs.restarts import forgive, may_start
from lazulite.runs.status import ENDED, PAUSED, has_ended, is_paused, status_of
from lazulite.store.files import read_json, write_atomically
from lazulite.store.resources import Draft, Json, Resource, Resources

RUNNING = {
    "paused": "Starting",  # it was resumed
    "preparing": "Starting",
    "running": "Running",
    "finalizing": "Finalizing",
}
WAITING = ("Queued", "Provisioning")
"""States of a job that waits for a node."""
SOON = timedelta(milliseconds=50)
FETCHING = timedelta(milliseconds=250)
WATCH = timedelta(milliseconds=500)
IN_LINE = timedelta(seconds=5)

Prepared = Callable[[Resource], Awaitable[Step | None]]
"""Fixes what a job runs, once it has a node; a step while something is missing.

Raises SpecError for a job that can never run.
"""


def instance_count(job: Resource) -> int:
    """How many nodes the job asks for."""
    resources: Json = job.properties.get("resources") or {}
    return int(job.properties.get("instanceCount") or resources.get("instanceCount") or 1)


def is_in_line(job: Resource) -> bool:
    """Whether the job could use a node: all else was ready once, it neither rests nor has ended."""
    if has_ended(job) or status_of(job) == PAUSED:
        return False
    return bool(job.observed.get("inLine")) or status_of(job) not in {"NotStarted", "Preparing"}


@dataclasses.dataclass(frozen=True)
class Supervision:
    """Keeps the supervisors of jobs running. Every call returns at once and may be repeated."""

    resources: Resources
    executor: Executor
    folder: Path
    """Where each job has a folder for its journal and progress."""
    sockets: Path
    """Where nodes listen."""
    delivery: Delivery
    sandbox: Sandbox
    """What processes of jobs run in, besides what each job shows them."""

    async def step(self, job: Resource, supervisor: str, prepared: Prepared) -> Step:
        """Bring the job one step further. supervisor: the module that runs it."""
        if job.deleting:
            return await self.taken_down(job)
        if has_ended(job):
            return Step(observed=job.observed, converged=True)
        if job.properties["cancelRequested"] and not self.is_under_way(job):
            return self.ended(job, {"state": "canceled", "error": None})
        try:
            return await self._advanced(job, supervisor, prepared)
        except StillFetching as fetching:
            return self.fetching(job, fetching)
        except SpecError as error:  # an outcome of the job, not of the resource
            return self.ended(job, {"state": "failed", "error": error.body})

    async def _advanced(self, job: Resource, supervisor: str, prepared: Prepared) -> Step:
        if is_paused(job) and await self._rests(job):
            return await self.paused(job)
        waiting = await self._bereft(job) or await self._waiting(job, prepared)
        if waiting is not None:
            return waiting
        await self.supervise(job, supervisor)
        return await self.watched(job)

    async def _bereft(self, job: Resource) -> Step | None:
        """A step to stop a job whose cluster was deleted: it would wait for nodes for ever.

        Raises SpecError once it has stopped. A job that came to its end has just ended.
        """
        progress = self.progress(job)
        has_ended_itself = progress["state"] in ENDED and (
            progress["state"] != "canceled" or job.properties["cancelRequested"]
        )
        if not self.is_under_way(job) or has_ended_itself:
            return None
        compute = job.properties["computeId"]
        if await self.resources.find(compute) is not None:
            return None
        if await self._is_at_work(job):
            await self.executor.stop(self._task_name(job))
            return Step(observed=job.observed, converged=False, after=SOON)
        raise SpecError(
            "ComputeNotFound",
            f"The compute {compute!r} was deleted while the job ran on it: submit it to another.",
            target="computeId",
        )

    async def _waiting(self, job: Resource, prepared: Prepared) -> Step | None:
        """A step while the job cannot go on yet."""
        if not self.is_under_way(job):
            return await prepared(job)
        is_resumed = status_of(job) in {PAUSED, *WAITING}  # what a killed supervisor says is old
        if is_resumed and not job.properties["cancelRequested"] and not await self.nodes(job):
            return await self.queued(job)
        return None

    async def request_cancel(self, job: Resource, actor: str) -> Resource:
        """Note that the job is to end, unless it has ended; the job as it is then."""
        found: Resource | None = job
        while found is not None and not has_ended(found):
            draft = Draft(
                resource_type=found.resource_type,
                id=found.id,
                properties={**found.properties, "cancelRequested": True},
                envelope=found.envelope,
            )
            if written := await self.resources.put(draft, actor, if_revision=found.revision):
                return written[0]
            found = await self.resources.find(job.id)
        return found or job

    async def nodes(self, job: Resource) -> list[Json]:
        """The nodes that the job's cluster has handed to it.

        Raises SpecError if there is no such cluster, or if it can never have enough nodes.
        """
        cluster = await find_one(
            self.resources, workspace_of(job.id), "computes", job.properties["computeId"]
        )
        refuse_too_many(instance_count(job), cluster)
        return _nodes_of(job, cluster)

    async def queued(self, job: Resource) -> Step:
        """Wait for a node: the cluster is told once, and tells when it has one.

        It is told when the row already says that the job is in line, for it reads the row.
        """
        cluster = await self.resources.find(job.properties["computeId"])
        nodes = cluster.observed.get("nodes", ()) if cluster else ()
        comes = any(node["state"] == "preparing" for node in nodes)
        observed = {**job.observed, "status": WAITING[comes]}
        if not is_in_line(job):
            return Step(observed={**observed, "inLine": True}, converged=False, after=timedelta(0))
        if cluster and not job.observed.get("toldCluster"):
            await self.resources.touch(cluster.id)
            return Step(observed={**observed, "toldCluster": True}, converged=False, after=WATCH)
        return Step(observed=observed, converged=False, after=WATCH if comes else IN_LINE)

    async def paused(self, job: Resource) -> Step:
        """Rest until the job's row changes; the nodes are given back."""
        if job.observed.get("status") != PAUSED:
            await self.resources.touch(job.properties["computeId"])
        forgive(self.folder_of(job))
        progress = self.progress(job) if self.is_under_way(job) else {}
        known = {**job.observed, "progress": progress, "toldCluster": False}
        observed = {**known, "status": PAUSED}
        return Step(observed=observed, converged=False)

    def fetching(self, job: Resource, waiting: StillFetching) -> Step:
        """Wait for data of another server; the job tells how far they are."""
        observed = {**job.observed, **waiting.observed(), "status": "Preparing"}
        return Step(observed=observed, converged=False, after=FETCHING)

    def prepare(self, job: Resource, spec: Json) -> None:
        """Write job.json: from now on the job is under way."""
        self.folder_of(job).mkdir(parents=True, exist_ok=True, mode=0o700)
        sandbox = Sandbox.from_json(spec["sandbox"]).under(self.sandbox).to_json()
        text = json.dumps({**spec, "sandbox": sandbox})
        write_atomically(self.folder_of(job) / "job.json", text.encode())

    async def supervise(self, job: Resource, module: str) -> None:
        """See that the supervisor runs, and that it knows its nodes and whether to cancel."""
        folder = self.folder_of(job)
        cluster = await self.resources.find(job.properties["computeId"])
        listed = {"nodes": [self._node(node["id"]) for node in _nodes_of(job, cluster)]}
        if read_json(folder / "nodes.json") != listed:
            write_atomically(folder / "nodes.json", json.dumps(listed).encode())
        _say(folder / "cancel", job.properties["cancelRequested"])
        _say(folder / "pause", is_paused(job))
        name = self._task_name(job)
        state = self.progress(job)["state"]
        if await self._is_at_work(job) or state in ENDED:
            return
        if may_start(folder, self.resources.clock()):
            await self.executor.forget(name)  # it was killed: it goes on where its files say
            command = (sys.executable, "-m", module, str(folder))
            await self.executor.ensure(Task(name=name, command=command))

    async def _is_at_work(self, job: Resource) -> bool:
        """Whether its supervisor runs."""
        return await self.executor.observe(self._task_name(job)) in {Phase.PENDING, Phase.RUNNING}

    async def _rests(self, job: Resource) -> bool:
        """Whether a job that is to rest does: it may have come to its end before."""
        return self.progress(job)["state"] not in ENDED and not await self._is_at_work(job)

    async def watched(self, job: Resource) -> Step:
        """What the supervisor says of the job."""
        progress = self.progress(job)
        if progress["state"] in ENDED and self.delivery.is_delivered(job.uid):
            failure = self.delivery.failure(job.uid)
            if failure is not None and progress["state"] == "completed":
                progress = {**progress, "state": "failed", "error": failure.body}
            ended = self.ended(job, progress)
            await self.resources.touch(job.properties["computeId"])  # its nodes are free
            return ended
        self.delivery.follow(job.uid)
        status = RUNNING.get(progress["state"], RUNNING["finalizing"])
        observed = {**job.observed, "status": status, "progress": progress}
        return Step(observed=observed, converged=False, after=WATCH)

    def ended(self, job: Resource, progress: Json) -> Step:
        """The job's last state."""
        observed = {
            **job.observed,
            "status": ENDED[progress["state"]],
            "progress": progress,
            "error": progress.get("error"),
            "endTime": timestamp(self.resources.clock()),
        }
        return Step(observed=observed, converged=True)

    async def taken_down(self, job: Resource) -> Step:
        """Stop what runs, and drop the job's folder."""
        name = self._task_name(job)
        if await self._is_at_work(job):
            await self.executor.stop(name)
            return Step(observed=job.observed, converged=False, after=SOON)
        await self.executor.forget(name)
        await self.delivery.drop(job.uid)
        await asyncio.to_thread(shutil.rmtree, self.folder_of(job), ignore_errors=True)
        return Step(observed=job.observed, converged=True)

    def progress(self, job: Resource) -> Json:
        """What progress.json says."""
        found: Json | None = read_json(self.folder_of(job) / "progress.json")
        return found or {"state": "preparing", "error": None}

    def is_under_way(self, job: Resource) -> bool:
        """Whether job.json is written."""
        return (self.folder_of(job) / "job.json").exists()

    def folder_of(self, job: Resource) -> Path:
        """The job's folder."""
        return self.folder / job.uid

    def _node(self, node: str) -> Json:
        return {"id": node, "socket": str(self.sockets / f"{node}.sock")}

    def _task_name(self, job: Resource) -> str:
        return f"job-{job.uid}"


def _say(wish: Path, is_wished: bool) -> None:
    """Have the supervisor see a wish, or no longer see it."""
    if is_wished:
        wish.touch()
    else:
        wish.unlink(missing_ok=True)


def _nodes_of(job: Resource, cluster: Resource | None) -> list[Json]:
    nodes = cluster.observed.get("nodes", ()) if cluster else ()
    return [node for node in nodes if node["job"] == job.uid]
