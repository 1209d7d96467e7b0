"""The scoring URI of batch endpoints: POST starts a job, GET shows jobs.

Source: spec/REST.md 8.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import system_data
from lazulite.arm.references import find_one
from lazulite.arm.requests import base_url, json_body
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import BATCH_ENDPOINTS, JOBS, workspace_of
from lazulite.deployments.invocations import job_name, job_properties, read_invocation
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Draft, Json, Resource, Resources

REQUEST_IDS = ("repeatability_request-id", "repeatability-request-id")
PROVISIONING = {"Completed": "Succeeded", "Failed": "Failed", "Canceled": "Canceled"}


@dataclasses.dataclass(frozen=True)
class BatchScoring:
    """Answers below /inference/{endpoint}/jobs, with tokens for https://ml.azure.com."""

    resources: Resources
    guard: Guard
    show_job: Callable[[Resource, str], Awaitable[Json]]
    wake: Callable[[], None]

    async def invoke(self, http: Request) -> Response:
        """Start a job. The same request id again, or the same job again, starts no second one."""
        endpoint, actor = await self._endpoint(http, "jobs/write")
        invocation = read_invocation(await json_body(http))
        deployment = await self._deployment(endpoint, http.headers.get("azureml-model-deployment"))
        request_id = next((http.headers[key] for key in REQUEST_IDS if key in http.headers), None)
        name = job_name(invocation, endpoint, request_id)
        compute = await self._compute(endpoint, deployment)
        properties = job_properties(invocation, name, deployment, compute.id)
        draft = Draft(
            resource_type=JOBS,
            id=f"{workspace_of(endpoint.id)}/jobs/{name}",
            properties={**properties, "requestId": request_id},
        )
        written = await self.resources.put(draft, actor, only_new=True)
        if written is None:
            return await self._again(http, draft)
        self.wake()
        return await self._shown(http, written[0], 201)

    async def show(self, http: Request) -> Response:
        """One job of the endpoint."""
        endpoint, _ = await self._endpoint(http, "jobs/read")
        name = http.path_params["job"]
        job = await self.resources.find(f"{workspace_of(endpoint.id)}/jobs/{name}")
        if job is None or not _is_of(job, endpoint):
            message = f"The endpoint {endpoint.name!r} has no job {name!r}."
            raise ArmError("ResourceNotFound", message, 404)
        return await self._shown(http, job, 200)

    async def list(self, http: Request) -> Response:
        """All jobs of the endpoint, the newest first."""
        endpoint, _ = await self._endpoint(http, "jobs/read")
        return JSONResponse({"value": await self.jobs_of(endpoint, base_url(http))})

    async def jobs_of(self, owner: Resource, base: str) -> Sequence[Json]:
        """The jobs of an endpoint, or of one deployment of it, the newest first."""
        jobs = await self.resources.children(workspace_of(owner.id), JOBS)
        return [await self._body(job, base) for job in reversed(jobs) if _is_of(job, owner)]

    async def _endpoint(self, http: Request, verb: str) -> tuple[Resource, str]:
        """The endpoint of the path, and the caller. Raises ArmError 401, 403 or 404."""
        name = http.path_params["endpoint"]
        found = [
            row
            for row in await self.resources.of_type(BATCH_ENDPOINTS)
            if row.name.lower() == name.lower()
        ]
        scope = found[0].id if found else "/"
        caller = await self.guard.require(
            http.headers, f"{BATCH_ENDPOINTS}/{verb}", scope, Audience.ML
        )
        if not found:
            message = f"There is no batch endpoint {name!r} on this server."
            raise ArmError("EndpointNotFound", message, 404)
        return found[0], caller.object_id

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

    async def _compute(self, endpoint: Resource, deployment: Resource) -> Resource:
        reference = deployment.properties["compute"]
        try:
            workspace = workspace_of(endpoint.id)
            return await find_one(self.resources, workspace, "computes", reference)
        except SpecError as error:
            raise ArmError(error.code, str(error), 404, target="compute") from error

    async def _again(self, http: Request, draft: Draft) -> Response:
        """The job is there: fine if this is the same request, a conflict if it is another one."""
        job = await self.resources.find(draft.id)
        request_id = draft.properties["requestId"]
        if job is None or not request_id or job.properties["requestId"] != request_id:
            message = f"There is a job {draft.id!r} already: choose another name."
            raise ArmError("Conflict", message, 409)
        return await self._shown(http, job, 200)

    async def _shown(self, http: Request, job: Resource, status: int) -> Response:
        return JSONResponse(await self._body(job, base_url(http)), status)

    async def _body(self, job: Resource, base: str) -> Json:
        """A BatchJobResource. Source: spec/REST.md 8.3."""
        shown = await self.show_job(job, base)
        _, _, path = job.properties["output"].partition("/paths/")
        store = job.properties["output"].partition("datastores/")[2].partition("/")[0]
        properties = {
            "name": job.name,
            "status": shown["status"],
            "provisioningState": PROVISIONING.get(shown["status"], "InProgress"),
            "interactionEndpoints": shown["interactionEndpoints"],
            "output": {
                "datastoreId": f"{workspace_of(job.id)}/datastores/{store}",
                "path": path,
            },
            "outputFileName": job.properties["outputFileName"],
            "miniBatchSize": job.properties["miniBatchSize"],
            "errorThreshold": job.properties["errorThreshold"],
            "retrySettings": job.properties["retrySettings"],
            "tags": job.properties["tags"],
            "error": shown["error"],
        }
        return {
            "id": job.id,
            "name": job.name,
            "type": JOBS,
            "properties": properties,
            "systemData": system_data(job),
        }


def _is_of(job: Resource, owner: Resource) -> bool:
    deployment = str(job.properties.get("deployment", "")).casefold()
    return deployment == owner.key or deployment.startswith(owner.key + "/")
