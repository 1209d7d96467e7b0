"""Starting batch scoring jobs, and showing them as the scoring URI does.

A job is a row of the workspace's jobs. Source: spec/REST.md 8.1 to 8.3, spec/BATCH.md 1.9.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from lazulite.arm.envelope import system_data
from lazulite.arm.references import find_one, refuse_too_many
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import JOBS, workspace_of
from lazulite.deployments.invocations import (
    Invocation,
    job_name,
    job_properties,
    read_invocation,
)
from lazulite.deployments.repeats import Repeat
from lazulite.deployments.rerunning import inputs_of
from lazulite.deployments.resolving import pinned
from lazulite.deployments.signed_uris import unsigned
from lazulite.store.resources import Draft, Json, Resource, Resources

PROVISIONING = {"Completed": "Succeeded", "Failed": "Failed", "Canceled": "Canceled"}
SETTINGS = (
    *("outputFileName", "miniBatchSize", "maxConcurrencyPerInstance", "errorThreshold"),
    *("loggingLevel", "retrySettings", "description", "tags", "properties"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """One request to start a job."""

    body: Any
    deployment: str | None
    """Its name; None: the endpoint's default."""
    repeat: Repeat
    """A repeat starts no second job."""
    actor: str


@dataclasses.dataclass(frozen=True)
class Invoker:
    """The jobs of batch endpoints; whether the caller may is for whoever calls this to ask."""

    resources: Resources
    show_job: Callable[[Resource, str], Awaitable[Json]]
    wake: Callable[[], None]

    async def start(self, endpoint: Resource, order: Order) -> tuple[Resource, bool]:
        """The job, and whether it is new. Raises ArmError; nothing is written then."""
        invocation = read_invocation(order.body)
        name = job_name(invocation, endpoint, order.repeat.key)
        workspace = workspace_of(endpoint.id)
        job_id = f"{workspace}/jobs/{name}"
        if (known := await self.resources.find(job_id)) is not None:
            return _repeated(known, order.repeat), False
        properties = await self._properties(endpoint, invocation, order.deployment, name)
        noted = {**properties, **order.repeat.noted()}
        draft = Draft(resource_type=JOBS, id=job_id, properties=noted, under=workspace)
        written = await self.resources.put(draft, order.actor, only_new=True)
        if written is None:  # by a request that came at the same time
            return _repeated(await self.resources.find(job_id), order.repeat), False
        self.wake()
        return written

    async def _properties(
        self, endpoint: Resource, invocation: Invocation, named: str | None, name: str
    ) -> Json:
        """The row of a new job. Raises ArmError."""
        deployment = await self._deployment(endpoint, named)
        compute = await self._compute(endpoint, invocation, deployment)
        await self._check_output(endpoint, invocation)
        earlier = await self.find(endpoint, invocation.rerun_of) if invocation.rerun_of else None
        data, workspace = inputs_of(invocation, earlier), workspace_of(endpoint.id)
        inputs = {  # with versions, so that a rerun reads what this job does
            key: {**item, "uri": await pinned(self.resources, workspace, item["uri"])}
            for key, item in data["inputs"].items()
        }
        properties = job_properties(invocation, name, deployment, compute.id, inputs)
        _refuse_unfit(properties, compute)
        return {**properties, "rerunOf": data["rerunOf"]}

    async def find(self, owner: Resource, name: str) -> Resource:
        """One job of an endpoint or deployment. Raises ArmError 404."""
        job = await self.resources.find(f"{workspace_of(owner.id)}/jobs/{name}")
        if job is None or not _is_of(job, owner):
            message = f"There is no job {name!r} of {owner.id!r}."
            raise ArmError("ResourceNotFound", message, 404)
        return job

    async def jobs_of(self, owner: Resource) -> list[Resource]:
        """The jobs of an endpoint, or of one deployment of it, oldest first."""
        jobs = await self.resources.children(workspace_of(owner.id), JOBS)
        return [job for job in jobs if _is_of(job, owner)]

    async def shown(self, job: Resource, base: str) -> Json:
        """A BatchJobResource; clients look for the status at the top, or in properties."""
        known, stored = await self.show_job(job, base), job.properties
        store, _, path = stored["output"].partition("datastores/")[2].partition("/paths/")
        properties = {
            **unsigned(stored.get("said", {})),
            **{name: stored[name] for name in SETTINGS},
            "name": job.name,
            "status": known["status"],
            "provisioningState": PROVISIONING.get(known["status"], "InProgress"),
            "interactionEndpoints": known["interactionEndpoints"],
            "output": {
                "datastoreId": f"{workspace_of(job.id)}/datastores/{store}",
                "path": path,
            },
            "error": known["error"],
        }
        return {
            "id": job.id,
            "name": job.name,
            "type": JOBS,
            "status": known["status"],
            "properties": properties,
            "systemData": system_data(job),
        }

    async def _deployment(self, endpoint: Resource, named: str | None) -> Resource:
        name = named or endpoint.properties["defaults"]["deploymentName"]
        if not name:
            raise ArmError(
                "NoDefaultDeployment",
                f"No valid deployments to route to: set the default deployment of "
                f"{endpoint.name!r}, or name one in the header azureml-model-deployment.",
                404,
            )
        found = await self.resources.find(f"{endpoint.id}/deployments/{name}")
        if found is None:
            message = f"The endpoint {endpoint.name!r} has no deployment {name!r}."
            raise ArmError("DeploymentNotFound", message, 404)
        if found.provisioning_state == "Failed":
            reason = (found.error or {}).get("message", "")
            message = f"The deployment {name!r} has failed, it cannot be invoked: {reason}"
            raise ArmError("DeploymentNotReady", message, 409)
        return found

    async def _compute(
        self, endpoint: Resource, invocation: Invocation, deployment: Resource
    ) -> Resource:
        """The invocation's compute, else the deployment's."""
        chosen = invocation.compute.target if invocation.compute else None
        reference = chosen or deployment.properties["compute"]
        return await self._referenced(endpoint, "computes", reference, "compute")

    async def _check_output(self, endpoint: Resource, invocation: Invocation) -> None:
        if invocation.output_dataset is not None:
            reference = invocation.output_dataset.datastore_id
            await self._referenced(endpoint, "datastores", reference, "outputDataset.datastoreId")

    async def _referenced(
        self, endpoint: Resource, plural: str, reference: str, target: str
    ) -> Resource:
        try:
            return await find_one(self.resources, workspace_of(endpoint.id), plural, reference)
        except SpecError as error:
            raise ArmError(error.code, str(error), 404, target=target) from error


def _repeated(job: Resource | None, repeat: Repeat) -> Resource:
    """The job that is there: fine if this is the same request, a conflict if it is another one."""
    if job is None or not repeat.key or job.properties.get("requestId") != repeat.key:
        name = job.name if job else ""
        message = f"There is a job {name!r} already: choose another name."
        raise ArmError("Conflict", message, 409)
    if job.properties.get("requestHash") not in (None, repeat.digest):
        message = (
            f"The request id {repeat.key!r} has started the job {job.name!r}, and this request "
            "asks for something else: send it with an id of its own."
        )
        raise ArmError("Conflict", message, 409)
    return job


def _refuse_unfit(job: Json, compute: Resource) -> None:
    try:
        refuse_too_many(job["instanceCount"], compute)
    except SpecError as error:
        target = "compute.instanceCount"
        raise ArmError(error.code, error.message, 400, target=target) from error


def _is_of(job: Resource, owner: Resource) -> bool:
    deployment = str(job.properties.get("deployment", "")).casefold()
    return deployment == owner.key or deployment.startswith(owner.key + "/")
