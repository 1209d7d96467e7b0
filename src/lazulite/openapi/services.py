"""The operations of the services of the regional host, from their tables of routes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lazulite.dataplane.refusals import Refusal, arm_error, hyperdrive_error, model_error
from lazulite.dataplane.services import PLACE, Service, ServiceRoute
from lazulite.openapi.errors import Form
from lazulite.openapi.naming import WORKSPACE
from lazulite.openapi.operations import Answer, Json, Operation, json_body, place
from lazulite.openapi.security import BEARER

FORMS: Mapping[Refusal, Form] = {
    arm_error: Form.ARM,
    model_error: Form.MODEL,
    hyperdrive_error: Form.HYPERDRIVE,
}
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 412, 413, 415, 429, 501})


def operation_of(service: Service, route: ServiceRoute) -> Operation:
    """The operation of a route. The path may end in a parameter that takes slashes, too."""
    path = PLACE.sub(r"{\1}", route.path)
    return Operation(
        id=_id(service, route),
        method=route.method,
        path=f"{service.prefix}{WORKSPACE}/{path}",
        tag=service.name,
        summary=(route.handler.__doc__ or route.permission).strip().partition("\n")[0],
        parameters=tuple(_places(route)),
        body=_body(route),
        answers={200: Answer(schema={}), 201: Answer(schema={}), 202: Answer(), 204: Answer()},
        refusals=REFUSALS,
        form=FORMS.get(service.refusal, Form.SERVICE),
        security=BEARER,
    )


def _id(service: Service, route: ServiceRoute) -> str:
    words = re.findall(r"\w+", f"{route.method.lower()} {route.path}")
    return f"{service.name}_{'_'.join(words)}"


def _places(route: ServiceRoute) -> Iterator[Json]:
    for found in PLACE.finditer(route.path):
        described = place(found[1])
        if found[2]:
            described["schema"] = {"type": "string", "minLength": 1}
            described["description"] = "May have slashes."
        yield described


def _body(route: ServiceRoute) -> Json | None:
    if route.method in {"GET", "HEAD", "DELETE"}:
        return None
    return json_body({}, required=False)
