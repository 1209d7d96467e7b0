"""The operations of the services of the regional host, from their tables of routes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lazulite.dataplane.refusals import Refusal, arm_error, hyperdrive_error, model_error
from lazulite.dataplane.services import PLACE, Service, ServiceRoute
from lazulite.openapi.errors import Form
from lazulite.openapi.naming import SUBSCRIPTION, WORKSPACE
from lazulite.openapi.operations import Answer, Json, Operation, json_body, place, query
from lazulite.openapi.schemas import Schemas
from lazulite.openapi.security import BEARER

FORMS: Mapping[Refusal, Form] = {
    arm_error: Form.ARM,
    model_error: Form.MODEL,
    hyperdrive_error: Form.HYPERDRIVE,
}
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 412, 413, 415, 429, 501})


QUERIES: Mapping[str, tuple[str, ...]] = {
    "artifact": ("path", "continuationToken", "append", "allowOverwrite"),
    "datastore": ("count", "continuationToken", "createIfNotExists", "includeSecret"),
    "execution": ("runId",),
    "history": (
        *("$filter", "$orderby", "$sortorder", "$top", "$continuationToken"),
        *("continuationToken", "viewType", "path"),
    ),
    "mferp": ("deployment", "$top", "count", "$skipToken"),
    "modelmanagement": (
        *("name", "description", "tags", "properties", "runId", "modelId", "modelName"),
        *("computeType", "latestVersionOnly", "orderBy", "count", "$skipToken"),
    ),
    "telemetry": (
        *("timespan", "endpoint", "deployment", "instance", "level", "text"),
        *("after", "before", "$top"),
    ),
}
"""What operations of a service read from the query; each reads some. Source: spec/REST.md 9."""


def operations_of(service: Service, route: ServiceRoute, schemas: Schemas) -> Iterator[Operation]:
    """The operations of a route; what they answer is said in Azure's reference of the service."""
    below = PLACE.sub(r"{\1}", route.path)
    path = f"{WORKSPACE}/{below}"
    yield _operation(service, route, schemas, service.prefix + path)
    if service.bare is not None and service.bare.fullmatch(path):
        yield _operation(service, route, schemas, path)


def _operation(service: Service, route: ServiceRoute, schemas: Schemas, path: str) -> Operation:
    return Operation(
        id=_id(path, route),
        method=route.method,
        path=path,
        tag=service.name,
        summary=(route.handler.__doc__ or route.permission).strip().partition("\n")[0],
        parameters=(*_places(route), *_queries(service)),
        body=_body(route, schemas),
        answers={status: Answer() for status in (200, 201, 202, 204)},
        refusals=REFUSALS,
        form=FORMS.get(service.refusal, Form.SERVICE),
        security=BEARER,
    )


def _id(path: str, route: ServiceRoute) -> str:
    words = re.findall(r"\w+", path.partition(SUBSCRIPTION)[0] + f" {route.method} {route.path}")
    return "_".join(words)


def _places(route: ServiceRoute) -> Iterator[Json]:
    for found in PLACE.finditer(route.path):
        described = place(found[1])
        if found[2]:
            described["schema"] = {"type": "string", "minLength": 1}
            described["description"] = "May have slashes."
        yield described


def _queries(service: Service) -> Iterator[Json]:
    for name in QUERIES.get(service.name, ()):
        yield query(name, {"type": "string"}, f"As {service.name} has it; not everywhere.")


def _body(route: ServiceRoute, schemas: Schemas) -> Json | None:
    if route.method in {"GET", "HEAD", "DELETE"}:
        return None
    if route.parts:
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        form = {"type": "object", "properties": dict.fromkeys(route.parts, file)}
        form["required"] = list(route.parts)
        return {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    if route.form is None:
        return json_body({}, required=False)
    name = f"{route.form.__module__.rpartition('.')[2]}.{route.form.__name__}"
    return json_body(schemas.add(name, schemas.of_model(route.form, name)))
