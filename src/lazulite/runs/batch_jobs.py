"""Batch scoring jobs, from their row to their supervisor's job.json. Source: spec/BATCH.md 1.9."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lazulite.batch.launch import script_logs
from lazulite.core.durations import parse_duration
from lazulite.core.ids import workspace_of
from lazulite.deployments.batch_extensions import job_fields
from lazulite.deployments.invocations import FOLDER
from lazulite.deployments.job_outputs import ARTIFACTS
from lazulite.deployments.materials import Materials, Preparing, Workshop
from lazulite.deployments.places import DataPlaces
from lazulite.operations.reconciler import Step
from lazulite.runs.supervision import SOON, Supervision
from lazulite.store.resources import Json, Resource

SUPERVISOR = "lazulite.batch.supervisor"


@dataclasses.dataclass(frozen=True)
class BatchJobs:
    """Reconciles batch scoring jobs."""

    supervision: Supervision
    workshop: Workshop
    data: DataPlaces
    worker_path: Path

    async def reconcile(self, job: Resource) -> Step:
        """One step: materials, nodes, supervisor, progress."""
        return await self.supervision.step(job, SUPERVISOR, self._prepared)

    async def _prepared(self, job: Resource) -> Step | None:
        """Fix what the job runs, once it has a node; a step while something is missing."""
        materials = await self.workshop.materials(job)
        if isinstance(materials, Preparing):
            observed = {**job.observed, **materials.observed(), "status": "Preparing"}
            return Step(observed=observed, converged=False, after=SOON)
        if not await self.supervision.nodes(job):
            return await self.supervision.queued(job)
        self.supervision.prepare(job, await self._spec(job, materials))
        return None

    async def _spec(self, job: Resource, materials: Materials) -> Json:
        """job.json for the supervisor."""
        properties = job.properties
        workspace = workspace_of(job.id)
        output = await self.data.output(workspace, properties["output"], job.uid, FOLDER)
        await self.data.refuse_existing(
            workspace, properties["output"], properties["outputFileName"]
        )
        artifacts = await self.data.writable(workspace, ARTIFACTS.format(job=job.name), job.uid)
        inputs = [
            {"path": str(root.path), "pattern": root.pattern}
            for item in properties["inputs"].values()
            for root in await self.data.roots(workspace, item["uri"], item["jobInputType"])
        ]
        log_dir, package = artifacts / "logs", (self.worker_path / "lazulite_worker").resolve()
        sandbox = (
            materials.sandbox.showing(str(self.worker_path), str(package))
            .showing(*(item["path"] for item in inputs), without_links=True)
            .showing(str(output), str(script_logs(log_dir)), writable=True, without_links=True)
        )
        retries, rerun = properties["retrySettings"], properties.get("rerunOf")
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
            "sandbox": sandbox.to_json(),
            "inputs": inputs,
            "output_dir": str(output),
            "log_dir": str(log_dir),
            "mini_batch_size": properties["miniBatchSize"],
            "processes_per_node": properties["maxConcurrencyPerInstance"],
            "max_retries": retries["maxRetries"],
            "timeout_s": parse_duration(retries["timeout"]).total_seconds(),
            "error_threshold": properties["errorThreshold"],
            "output_action": "append_row"
            if properties["outputAction"] == "AppendRow"
            else "summary_only",
            "output_file_name": properties["outputFileName"],
            "logging_level": properties["loggingLevel"].lower(),
            "rerun_of": str(self.supervision.folder / rerun) if rerun else "",
            **job_fields(properties.get("extensions") or {}),
        }
