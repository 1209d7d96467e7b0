"""Jobs of batch endpoints: at the scoring URI, and below the endpoint's ARM path.

The scoring URI is {endpoint}'s /inference/{endpoint}/jobs, for tokens for https://ml.azure.com. The
paths below ARM are those of api-version 2020-09-01-dataplanepreview, on this origin and on the MFE
base. Source: spec/REST.md 8.1 and 8.2.
"""

from __future__ import annotations

import dataclasses
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.core.errors import ArmError
from lazulite.core.ids import BATCH_ENDPOINTS, workspace_of
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import ServiceRoute
from lazulite.deployments.invoking import Invoker, Order
from lazulite.deployments.repeats import repeat_of
from lazulite.identity.authorize import Guard
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Resource, Resources

IN_ARM = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices"
    r"/workspaces/[^/]+/batchEndpoints/[^/]+(/deployments/[^/]+)?/jobs(/[^/]+)?/?",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class BatchScoring:
    """Answers for the jobs of batch endpoints."""

    invoker: Invoker
    resources: Resources
    guard: Guard

    async def invoke(self, http: Request) -> Response:
        """Start a job: 201. The same request id again answers 200 with the same job."""
        asked, endpoint = await self._called(http, "write")
        return await self._started(asked, endpoint, http.headers.get("azureml-model-deployment"))

    async def show(self, http: Request) -> Response:
        """One job of the endpoint."""
        asked, endpoint = await self._called(http, "read")
        return await self._one(asked, endpoint)

    async def list(self, http: Request) -> Response:
        """The jobs of the endpoint, the newest first."""
        return await self._page(*await self._called(http, "read"))

    def routes(self) -> tuple[ServiceRoute, ...]:
        """The same below an endpoint or deployment in ARM."""
        read, write = "batchEndpoints/jobs/read", "batchEndpoints/jobs/write"
        owners = ("batchEndpoints/{endpoint}", "batchEndpoints/{endpoint}/deployments/{deployment}")
        return tuple(
            route
            for owner in owners
            for route in (
                ServiceRoute("POST", f"{owner}/jobs", write, self._start_below),
                ServiceRoute("GET", f"{owner}/jobs", read, self._list_below),
                ServiceRoute("GET", f"{owner}/jobs/{{job}}", read, self._show_below),
            )
        )

    async def _start_below(self, asked: Asked) -> Response:
        endpoint = await self._endpoint(asked)
        chosen = asked.http.headers.get("azureml-model-deployment")
        return await self._started(asked, endpoint, asked.names.get("deployment", chosen))

    async def _list_below(self, asked: Asked) -> Response:
        return await self._page(asked, await self._owner(asked))

    async def _show_below(self, asked: Asked) -> Response:
        return await self._one(asked, await self._owner(asked))

    async def _started(self, asked: Asked, endpoint: Resource, deployment: str | None) -> Response:
        body = await asked.json()
        order = Order(
            body=body,
            deployment=deployment,
            repeat=repeat_of(asked.http.headers, body, deployment),
            actor=asked.caller.object_id,
        )
        job, is_new = await self.invoker.start(endpoint, order)
        return JSONResponse(await self.invoker.shown(job, asked.base), 201 if is_new else 200)

    async def _one(self, asked: Asked, owner: Resource) -> Response:
        job = await self.invoker.find(owner, asked.names["job"])
        return JSONResponse(await self.invoker.shown(job, asked.base))

    async def _page(self, asked: Asked, owner: Resource) -> Response:
        """One page; `deployment` chooses those of one deployment, `$skiptoken` the page."""
        jobs = await self.invoker.jobs_of(owner)
        if name := asked.query.get("deployment"):
            ending = f"/deployments/{name}".casefold()
            jobs = [job for job in jobs if _deployment(job).endswith(ending)]
        found = page(
            jobs,
            lambda job: f"{job.created_at.isoformat()}|{job.key}",
            token=asked.query.get("$skiptoken"),
            size=asked.query.get("$top") or asked.query.get("count"),
            descending=True,
        )
        value = [await self.invoker.shown(job, asked.base) for job in found.items]
        link = next_link(asked, "$skiptoken", found.token)
        return JSONResponse({"value": value, "nextLink": link})

    async def _called(self, http: Request, verb: str) -> tuple[Asked, Resource]:
        """The request to a scoring URI, and its endpoint. Raises ArmError 401, 403 or 404."""
        rows = await self.resources.named(BATCH_ENDPOINTS, http.path_params["endpoint"])
        endpoint = rows[0] if rows else None
        scope = endpoint.id if endpoint else "/"
        action = f"{BATCH_ENDPOINTS}/jobs/{verb}"
        caller = await self.guard.require(http.headers, action, scope, Audience.ML)
        workspace = await self.resources.find(workspace_of(endpoint.id)) if endpoint else None
        if endpoint is None or workspace is None:
            message = f"There is no batch endpoint {http.path_params['endpoint']!r} on this server."
            raise ArmError("EndpointNotFound", message, 404)
        asked = Asked(
            http=http,
            workspace=workspace,
            caller=caller,
            names=dict(http.path_params),
            query={key.lower(): value for key, value in http.query_params.items()},
        )
        return asked, endpoint

    async def _endpoint(self, asked: Asked) -> Resource:
        found = await self.resources.find(_endpoint_id(asked))
        if found is None:
            message = f"There is no batch endpoint {asked.names['endpoint']!r} in the workspace."
            raise ArmError("ResourceNotFound", message, 404)
        return found

    async def _owner(self, asked: Asked) -> Resource:
        """The endpoint, or the deployment that the path names."""
        endpoint = await self._endpoint(asked)
        name = asked.names.get("deployment")
        found = await self.resources.find(f"{endpoint.id}/deployments/{name}") if name else endpoint
        if found is None:
            message = f"The endpoint {endpoint.name!r} has no deployment {name!r}."
            raise ArmError("DeploymentNotFound", message, 404)
        return found


def _endpoint_id(asked: Asked) -> str:
    return f"{asked.workspace.id}/batchEndpoints/{asked.names['endpoint']}"


def _deployment(job: Resource) -> str:
    return str(job.properties["deployment"]).casefold()
