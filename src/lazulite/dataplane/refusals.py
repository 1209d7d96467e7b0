"""The forms that errors have in the services. Source: spec/REST.md 9.1 and 9.7."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse

from lazulite.arm.envelope import timestamp
from lazulite.core.clock import utc_now
from lazulite.core.errors import ArmError
from lazulite.store.resources import Json

Refusal = Callable[[ArmError, Request], JSONResponse]


def user_error(error: ArmError, http: Request) -> JSONResponse:
    """Of history, execution, artifact and datastore."""
    body = error_body(error, http)
    return _answer(error, body, {"x-ms-request-id": body["correlation"]["request"]})


def error_body(error: ArmError, http: Request) -> Json:
    """An ErrorResponse: whose fault it is, and the reason inside."""
    request = str(uuid.uuid4())
    return {
        "error": {
            "code": "UserError" if error.status < 500 else "ServiceError",
            "message": error.message,
            "target": error.target,
            "details": _details(error),
            "innerError": {"code": error.code, "innerError": None},
        },
        "correlation": {
            "operation": http.headers.get("x-ms-correlation-request-id", request),
            "request": request,
        },
        "environment": "local",
        "location": "local",
        "time": timestamp(utc_now()),
    }


def model_error(error: ArmError, http: Request) -> JSONResponse:
    """Of modelmanagement: bare, with the status in it."""
    body = {
        "code": error.code,
        "statusCode": error.status,
        "message": error.message,
        "details": _details(error),
    }
    return _answer(error, body)


def hyperdrive_error(error: ArmError, http: Request) -> JSONResponse:
    """Of hyperdrive: the status and a text."""
    return _answer(error, {"code": error.status, "message": f"{error.code}: {error.message}"})


def arm_error(error: ArmError, http: Request) -> JSONResponse:
    """Of ARM itself, which is also there under other prefixes."""
    return _answer(error, {"error": error.body})


def not_implemented(what: str, instead: str) -> ArmError:
    """501: the route is known, what it does is not there yet. instead: what does work."""
    return ArmError("NotImplemented", f"{what} is not implemented here: {instead}", 501)


def _details(error: ArmError) -> list[Json]:
    return [
        {"code": detail.code, "message": detail.message, "target": detail.target}
        for detail in error.details
    ]


def _answer(error: ArmError, body: Json, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body, error.status, {**error.headers, **(headers or {})})
