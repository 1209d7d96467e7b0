"""ARM under the prefixes that clients ask on the regional host, and the jobs of batch endpoints.

Source: spec/REST.md 10, spec/CLIENTS.md 9 and 13.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.errors import not_found
from lazulite.core.ids import BATCH_ENDPOINTS
from lazulite.dataplane.refusals import arm_error
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import Service, ServiceRoute
from lazulite.deployments.batch_scoring import BatchScoring
from lazulite.store.resources import Resources

Handler = Callable[[Request], Awaitable[Response]]


def management(arm: Handler, resources: Resources, scoring: BatchScoring) -> Service:
    """mferp/managementfrontend: any ARM path, and the jobs of batch endpoints."""

    async def jobs(asked: Asked) -> Response:
        owner_id = f"{asked.workspace.id}/batchEndpoints/{asked.names['endpoint']}"
        if deployment := asked.names.get("deployment"):
            owner_id += f"/deployments/{deployment}"
        owner = await resources.find(owner_id)
        if owner is None:
            raise not_found(BATCH_ENDPOINTS, owner_id)
        return JSONResponse({"value": await scoring.jobs_of(owner, asked.base), "nextLink": None})

    endpoint, read = "batchEndpoints/{endpoint}", "batchEndpoints/jobs/read"
    return Service(
        name="mferp",
        version="managementfrontend",
        routes=(
            ServiceRoute("GET", f"{endpoint}/jobs", read, jobs),
            ServiceRoute("GET", f"{endpoint}/deployments/{{deployment}}/jobs", read, jobs),
        ),
        refusal=arm_error,
        otherwise=arm,
    )


def resource_provider(arm: Handler) -> Service:
    """rp/workspaces: ARM, as azureml-core asks for computes."""
    return Service(name="rp", version="workspaces", routes=(), refusal=arm_error, otherwise=arm)
