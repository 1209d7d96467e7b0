"""The operations of Graph, from its own table."""

from __future__ import annotations

import re

from lazulite.graph.service import BASE
from lazulite.graph.service import Operation as Route
from lazulite.openapi.errors import Form
from lazulite.openapi.operations import Answer, Json, Operation, json_body
from lazulite.openapi.security import BEARER

TEXT: Json = {"type": "string"}
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 413, 429})
MOMENT: Json = {"type": "string", "format": "date-time"}
SECRET: Json = {
    "type": "object",
    "properties": {"displayName": TEXT, "startDateTime": MOMENT, "endDateTime": MOMENT},
}
BODIES: dict[tuple[str, str], Json] = {
    ("POST", "/applications"): {"displayName": TEXT},
    ("PATCH", "/applications/{id}"): {"displayName": TEXT},
    ("POST", "/applications/{id}/addPassword"): {"passwordCredential": SECRET},
    ("POST", "/applications/{id}/removePassword"): {"keyId": TEXT},
    ("POST", "/servicePrincipals"): {"appId": TEXT},
    ("POST", "/deviceCodes/{userCode}/approve"): {"appId": TEXT},
    ("POST", "/directoryObjects/getByIds"): {"ids": {"type": "array", "items": TEXT}},
}
"""Properties of bodies. Source: Graph's reference of v1.0."""


def operation_of(route: Route) -> Operation:
    """The operation of a route."""
    words = re.findall(r"\w+", f"{route.method.lower()} {route.path}")
    properties = BODIES.get((route.method, route.path))
    said = {"type": "object", "properties": properties or {}}
    return Operation(
        id=f"graph_{'_'.join(words)}",
        method=route.method,
        path=f"{BASE}{route.path}",
        tag="graph",
        summary=f"Needs {route.full_action}.",
        body=json_body(said) if properties else None,
        answers={200: Answer(schema={"type": "object"}), 201: Answer(), 204: Answer()},
        refusals=REFUSALS,
        form=Form.GRAPH,
        security=BEARER,
    )
