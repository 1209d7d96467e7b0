"""Command jobs, from their row to their supervisor's job.json.

Source: spec/REST.md 5 and 7.5, spec/CLIENTS.md 10.1.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from lazulite.core.durations import parse_duration
from lazulite.core.ids import segment_of, workspace_of
from lazulite.deployments.job_outputs import ARTIFACTS
from lazulite.deployments.materials import Preparing, Workshop
from lazulite.deployments.places import DataPlaces
from lazulite.environments.service import Built
from lazulite.executors.container import CONTAINER
from lazulite.jobs.expressions import resolve
from lazulite.jobs.spec import KEPT, LOG
from lazulite.operations.reconciler import Step
from lazulite.runs.bindings import Bindings, bind
from lazulite.runs.supervision import SOON, Supervision
from lazulite.store.resources import Json, Resource

_SHELL_OF_THE_IMAGE = 'command -v bash >/dev/null && exec bash -c "$0"; exec sh -c "$0"'
SUPERVISOR = "lazulite.jobs.supervisor"
DRIVER_LOG = "azureml-logs/70_driver_log.txt"
"""Where clients of 2019 look for the log of a run."""


@dataclasses.dataclass(frozen=True)
class CommandJobs:
    """Reconciles command jobs."""

    supervision: Supervision
    workshop: Workshop
    data: DataPlaces
    origin: str
    """The server's own URL, for scripts."""

    async def reconcile(self, job: Resource) -> Step:
        """One step: environment and code, a node, supervisor, progress."""
        return await self.supervision.step(job, SUPERVISOR, self._prepared)

    async def _prepared(self, job: Resource) -> Step | None:
        """Fix what the job runs, once it has a node; a step while something is missing."""
        workspace, properties = workspace_of(job.id), job.properties
        bindings = await bind(job, self.data)
        code = properties["codeId"]
        folder = await self.workshop.code(workspace, code) if code else None
        definition = await self.workshop.registered(workspace, properties["environmentId"])
        built = await self.workshop.environment(job, definition)
        if isinstance(built, Preparing):
            observed = {**job.observed, **built.observed(), "status": "Preparing"}
            return Step(observed=observed, converged=False, after=SOON)
        if not await self.supervision.nodes(job):
            return await self.supervision.queued(job)
        spec = self._spec(job, bindings, built)
        artifacts = await self.data.writable(workspace, ARTIFACTS.format(job=job.name), job.uid)
        shown = built.sandbox.showing(*bindings.places, without_links=True)
        kept = (str(artifacts / name) for name in KEPT)
        sandbox = shown.showing(*bindings.folders, *kept, writable=True, without_links=True)
        places = {"code_dir": folder and str(folder), "artifacts": str(artifacts)}
        self.supervision.prepare(job, {**spec, **places, "sandbox": sandbox.to_json()})
        return None

    def _spec(self, job: Resource, bindings: Bindings, built: Built) -> Json:
        """job.json, without its folders. Raises SpecError for a command that cannot be resolved."""
        properties = job.properties
        values = {"inputs": bindings.inputs, "outputs": bindings.outputs}
        given = (properties["environmentVariables"] or {}).items()
        own = {name: resolve(str(value), values) for name, value in given if value is not None}
        command = resolve(properties["command"], values)
        limit = (properties["limits"] or {}).get("timeout")
        variables = {**variables_of(job, built.python, self.origin), **bindings.variables(), **own}
        return {
            "name": job.name,
            "argv": [*_shell(built), command],
            "env": variables,
            "log_names": [LOG, DRIVER_LOG] if properties["runDefinition"] else [LOG],
            "folders": bindings.folders,
            "timeout_s": parse_duration(limit).total_seconds() if limit else None,
        }


def _shell(built: Built) -> tuple[str, ...]:
    """What reads the command: bash where there is one, as in Azure. It follows as an argument."""
    if built.sandbox.kind == CONTAINER:
        return ("/bin/sh", "-c", _SHELL_OF_THE_IMAGE)
    return (shutil.which("bash") or "/bin/sh", "-c")


def variables_of(job: Resource, python: Path, origin: str) -> dict[str, str]:
    """What every run knows of itself and of its environment. Source: spec/CLIENTS.md 10, 11."""
    path = (str(python.parent), os.defpath)
    return {
        "PATH": os.pathsep.join(path),
        "VIRTUAL_ENV": str(python.parent.parent),
        "PYTHONUNBUFFERED": "1",
        "AZUREML_RUN_ID": job.name,
        "AZUREML_ROOT_RUN_ID": job.name,
        "AZUREML_EXPERIMENT_NAME": job.properties["experimentName"],
        "AZUREML_ARM_PROJECT_NAME": job.properties["experimentName"],
        "AZUREML_ARM_SUBSCRIPTION": segment_of(job.id, "subscriptions"),
        "AZUREML_ARM_RESOURCEGROUP": segment_of(job.id, "resourceGroups"),
        "AZUREML_ARM_WORKSPACE_NAME": segment_of(job.id, "workspaces"),
        "AZUREML_SERVICE_ENDPOINT": origin,
    }
