"""Jobs: batch scoring, for now. A job runs in a supervisor of its own, which outlives this process.

Source: spec/BATCH.md 1.9, spec/CLIENTS.md 9 and 10.1.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import Action, Answer, Call, Kind, Properties
from lazulite.arm.references import find_one
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import segment_of, workspace_of
from lazulite.deployments.materials import Locate, Materials, Preparing, Workshop
from lazulite.executors.protocol import Executor, Phase, Task
from lazulite.operations.reconciler import Step
from lazulite.store.files import read_json, write_atomically
from lazulite.store.resources import Draft, Json, Resource, Resources

ENDED = {"completed": "Completed", "failed": "Failed", "canceled": "Canceled"}
RUNNING = {"preparing": "Preparing", "running": "Running", "finalizing": "Finalizing"}
ACTIONS = {"AppendRow": "append_row", "SummaryOnly": "summary_only"}
SOON = timedelta(milliseconds=50)
WATCH = timedelta(milliseconds=500)
ARTIFACTS = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{job}"
INIT_TIMEOUT_S = 600.0


class Job(Properties):
    """Jobs are made by invocations: nothing of them is written by PUT."""


@dataclasses.dataclass(frozen=True)
class BatchJobs:
    """Reconciles batch jobs and answers for them."""

    resources: Resources
    workshop: Workshop
    locate: Locate
    executor: Executor
    folder: Path
    """Where each job has a folder for its journal and progress."""
    sockets: Path
    """Where nodes listen."""
    worker_path: Path

    async def reconcile(self, job: Resource) -> Step:
        """One step: materials, nodes, supervisor, progress."""
        if job.deleting:
            return await self._taken_down(job)
        if job.observed.get("status") in ENDED.values():
            return Step(observed=job.observed, converged=True)
        if job.properties["cancelRequested"] and not self._started(job):
            return await self._ended(job, {"state": "canceled", "error": None})
        try:
            return await self._advanced(job)
        except SpecError as error:  # an outcome of the job, not of the resource
            return await self._ended(job, {"state": "failed", "error": error.body})

    async def cancel(self, call: Call) -> Answer:
        """Ask the job to end; one that has ended stays as it is. A second call changes nothing."""
        job = call.resource
        if job.observed.get("status") in ENDED.values():
            return Answer(status=200)
        properties = {**job.properties, "cancelRequested": True}
        draft = Draft(
            resource_type=job.resource_type, id=job.id, properties=properties, envelope=job.envelope
        )
        await self.resources.put(draft, call.actor)
        return Answer(status=200)

    async def _advanced(self, job: Resource) -> Step:
        """Bring the job one step further. Raises SpecError when it can never run."""
        if not self._started(job):
            waiting = await self._prepared(job)
            if waiting is not None:
                return waiting
        cluster = await self.resources.find(job.properties["computeId"])
        await self._supervised(job, _nodes_of(job, cluster))
        return await self._watched(job)

    async def _prepared(self, job: Resource) -> Step | None:
        """Fix what the job runs, once it has a node; a step while something is missing."""
        materials = await self.workshop.materials(job)
        if isinstance(materials, Preparing):
            observed = {**job.observed, **materials.observed(), "status": "Preparing"}
            return Step(observed=observed, converged=False, after=SOON)
        cluster = await find_one(
            self.resources, workspace_of(job.id), "computes", job.properties["computeId"]
        )
        _refuse_too_many(job, cluster)
        if not _nodes_of(job, cluster):
            if job.observed.get("status") != "Queued":
                await self.resources.touch(cluster.id)
            return Step(observed={**job.observed, "status": "Queued"}, converged=False, after=WATCH)
        self._folder(job).mkdir(parents=True, exist_ok=True, mode=0o700)
        spec = await self._spec(job, materials)
        write_atomically(self._folder(job) / "job.json", json.dumps(spec).encode())
        return None

    async def _supervised(self, job: Resource, nodes: list[Json]) -> None:
        """See that the supervisor runs, and that it knows its nodes and whether to cancel."""
        folder = self._folder(job)
        listed = {"nodes": [self._node(node["id"]) for node in nodes]}
        if read_json(folder / "nodes.json") != listed:
            write_atomically(folder / "nodes.json", json.dumps(listed).encode())
        if job.properties["cancelRequested"]:
            (folder / "cancel").touch()
        name = self._task_name(job)
        runs = await self.executor.observe(name) in {Phase.PENDING, Phase.RUNNING}
        if not runs and self._progress(job)["state"] not in ENDED:
            await self.executor.forget(name)  # it was killed: it goes on from its journal
            command = (sys.executable, "-m", "lazulite.batch.supervisor", str(folder))
            await self.executor.ensure(Task(name=name, command=command))

    async def _watched(self, job: Resource) -> Step:
        progress = self._progress(job)
        if progress["state"] in ENDED:
            ended = await self._ended(job, progress)
            await self.resources.touch(job.properties["computeId"])  # its nodes are free
            return ended
        status = RUNNING[progress["state"]]
        if job.properties["cancelRequested"]:
            status = "CancelRequested"
        observed = {**job.observed, "status": status, "progress": progress}
        return Step(observed=observed, converged=False, after=WATCH)

    async def _ended(self, job: Resource, progress: Json) -> Step:
        """The job's last state."""
        observed = {
            **job.observed,
            "status": ENDED[progress["state"]],
            "progress": progress,
            "error": progress.get("error"),
            "endTime": timestamp(self.resources.clock()),
        }
        return Step(observed=observed, converged=True)

    async def _taken_down(self, job: Resource) -> Step:
        name = self._task_name(job)
        if await self.executor.observe(name) in {Phase.PENDING, Phase.RUNNING}:
            await self.executor.stop(name)
            return Step(observed=job.observed, converged=False, after=SOON)
        await self.executor.forget(name)
        shutil.rmtree(self._folder(job), ignore_errors=True)
        return Step(observed=job.observed, converged=True)

    async def _spec(self, job: Resource, materials: Materials) -> Json:
        """job.json for the supervisor."""
        properties = job.properties
        workspace = workspace_of(job.id)
        output = await self.locate(workspace, properties["output"])
        artifacts = await self.locate(workspace, ARTIFACTS.format(job=job.name))
        inputs = [
            str(await self.locate(workspace, item["uri"])) for item in properties["inputs"].values()
        ]
        retries = properties["retrySettings"]
        variables = properties["environmentVariables"]
        own = {key: str(value) for key, value in variables.items() if value is not None}
        run = {"AZUREML_BI_OUTPUT_PATH": str(output), "AZUREML_RUN_ID": job.name}
        return {
            "name": job.name,
            "python": materials.python,
            "worker_path": str(self.worker_path),
            "script": materials.script,
            "code_dir": materials.code_dir or materials.model_dir,
            "env": {**own, **materials.variables(), **run},
            "inputs": inputs,
            "output_dir": str(output),
            "log_dir": str(artifacts / "logs"),
            "mini_batch_size": properties["miniBatchSize"],
            "processes_per_node": properties["maxConcurrencyPerInstance"],
            "max_retries": retries["maxRetries"],
            "timeout_s": parse_duration(retries["timeout"]).total_seconds(),
            "init_timeout_s": INIT_TIMEOUT_S,
            "error_threshold": properties["errorThreshold"],
            "output_action": "append_row"
            if properties["outputAction"] == "AppendRow"
            else "summary_only",
            "output_file_name": properties["outputFileName"],
            "logging_level": properties["loggingLevel"].lower(),
        }

    def _node(self, node: str) -> Json:
        return {"id": node, "socket": str(self.sockets / f"{node}.sock")}

    def _progress(self, job: Resource) -> Json:
        found: Json | None = read_json(self._folder(job) / "progress.json")
        return found or {"state": "preparing", "error": None}

    def _started(self, job: Resource) -> bool:
        return (self._folder(job) / "job.json").exists()

    def _folder(self, job: Resource) -> Path:
        return self.folder / job.uid

    def _task_name(self, job: Resource) -> str:
        return f"job-{job.uid}"


def _nodes_of(job: Resource, cluster: Resource | None) -> list[Json]:
    nodes = cluster.observed.get("nodes", ()) if cluster else ()
    return [node for node in nodes if node["job"] == job.uid]


def _refuse_too_many(job: Resource, cluster: Resource) -> None:
    most = cluster.properties["properties"]["scaleSettings"]["maxNodeCount"]
    if job.properties["instanceCount"] > most:
        raise SpecError(
            "InstanceCountTooLarge",
            f"The job asks for {job.properties['instanceCount']} nodes and {cluster.name!r} has at "
            f"most {most}: lower instanceCount or raise maxNodeCount.",
        )


def job(jobs: BatchJobs) -> Kind:
    """workspaces/jobs."""
    return Kind(
        resource_type="workspaces/jobs",
        properties=Job,
        verbs=frozenset({"GET", "HEAD", "DELETE"}),
        reconcile=jobs.reconcile,
        may_delete=_has_ended,
        show=show,
        has_state=False,
        actions={"cancel": Action(perform=jobs.cancel)},
    )


async def _has_ended(job: Resource) -> None:
    if job.observed.get("status") not in ENDED.values():
        message = f"The job {job.name!r} has not ended: cancel it before you delete it."
        raise ArmError("Conflict", message, 409)


async def show(job: Resource, base: str) -> Json:
    """A job as clients know it: a pipeline with the tag of batch runs (spec/CLIENTS.md 9)."""
    observed, properties = job.observed, job.properties
    workspace = segment_of(job.id, "workspaces")
    studio = f"{base}/runs/{job.name}?wsid={workspace_of(job.id)}"
    progress: dict[str, Any] = observed.get("progress") or {}
    started = progress.get("started")
    return {
        "jobType": "Pipeline",
        "status": observed.get("status", "NotStarted"),
        "tags": {**properties["tags"], "azureml.batchrun": "true"},
        "services": {
            "Studio": {"jobServiceType": "Studio", "endpoint": studio},
            "Tracking": {"jobServiceType": "Tracking", "endpoint": f"{base}/mlflow/{workspace}"},
        },
        "interactionEndpoints": {
            "Studio": {"jobEndpointType": "Studio", "endpoint": studio, "port": None}
        },
        "outputs": {"score": {"jobOutputType": "uri_folder", "uri": properties["output"]}},
        "isArchived": False,
        "startTime": timestamp(datetime.fromtimestamp(started, UTC)) if started else None,
        "endTime": observed.get("endTime"),
        "progress": progress,
        "error": observed.get("error"),
    }
