"""What a Location header leads to: the end of an operation, or how far it is.

While it runs 202 with its status, then 200 with the resource (204 if that is gone), or the error
that it failed with. Source: spec/REST.md 2.4 and 11.
"""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import operation_status, show
from lazulite.arm.kind import Kind
from lazulite.arm.requests import ArmRequest
from lazulite.store.resources import Resource

PENDING = {"Retry-After": "1"}
FAILED = 409


async def operation_result(
    kind: Kind | None, found: Resource, generation: int, request: ArmRequest
) -> Response:
    """The answer for one generation of a resource. kind: None if the server has lost it."""
    status = operation_status(found, generation, request.address.id)
    if status["status"] == "InProgress":
        return JSONResponse(status, 202, PENDING)
    if status["status"] == "Failed":
        return JSONResponse({"error": status["error"]}, FAILED)
    if found.gone_at is not None or kind is None:
        return Response(status_code=204)
    return JSONResponse(await show(kind, found, request.base, request.version))
