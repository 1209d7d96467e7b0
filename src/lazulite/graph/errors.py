"""Errors in Microsoft Graph's shape and codes. Source: Graph's error reference."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.core.errors import ArmError

NOT_FOUND = "Request_ResourceNotFound"
BAD_REQUEST = "Request_BadRequest"


def refusal(http: Request, error: ArmError) -> Response:
    """The answer for an error: a code of Graph's for what is none yet, and the request's id."""
    inner = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": str(uuid.uuid4()),
        "client-request-id": http.headers.get("client-request-id", str(uuid.uuid4())),
    }
    shown = _shown(error)
    body = {"code": shown.code, "message": error.message, "innerError": inner}
    return JSONResponse({"error": body}, error.status, error.headers)


def _shown(error: ArmError) -> ArmError:
    match error.status:
        case HTTPStatus.FORBIDDEN:
            return ArmError("Authorization_RequestDenied", error.message, 403)
        case HTTPStatus.CONFLICT:
            return ArmError("Request_MultipleObjectsWithSameKeyValue", error.message, 409)
        case HTTPStatus.BAD_REQUEST:
            return ArmError(BAD_REQUEST, error.message)
        case _:
            return error


def missing(object_id: str) -> ArmError:
    """There is no object of that id."""
    message = (
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects "
        "are not present."
    )
    return ArmError(NOT_FOUND, message, 404)


def bad(message: str) -> ArmError:
    """The request is not as it must be."""
    return ArmError(BAD_REQUEST, message)
