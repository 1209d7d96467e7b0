"""The operations of Microsoft.Authorization, which stand under any scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lazulite.arm.authorization import PROVIDER, Authorization
from lazulite.arm.authorization_bodies import AssignmentBody, DefinitionBody
from lazulite.arm.kind import Properties
from lazulite.openapi.kinds import READ, WRITTEN
from lazulite.openapi.naming import GROUP, SUBSCRIPTION, WORKSPACE
from lazulite.openapi.operations import Answer, Json, Operation, json_body, query
from lazulite.openapi.parameters import API_VERSION
from lazulite.openapi.schemas import Schemas
from lazulite.openapi.security import BEARER

SCOPES = {"": "Tenant", SUBSCRIPTION: "Subscription", GROUP: "Group", WORKSPACE: "Workspace"}
"""Where they are described; below a workspace they are the same."""
BODIES: Mapping[str, type[Properties]] = {
    "roleassignments": AssignmentBody,
    "roledefinitions": DefinitionBody,
}
SPELLED = {"roleassignments": "roleAssignments", "roledefinitions": "roleDefinitions"}
FILTER = query("$filter", {"type": "string"}, "Such as atScope() or principalId eq '<id>'.")


def operations(roles: Authorization, schemas: Schemas) -> Iterator[Operation]:
    """What its table has, at each scope."""
    bodies = {kind: _body(BODIES[kind], schemas) for kind in BODIES}
    for scope, where in SCOPES.items():
        for (kind, is_one), methods in roles.operations.items():
            for method, operation in methods.items():
                name = SPELLED.get(kind, kind)
                path = f"{scope}/providers/{PROVIDER}/{name}" + ("/{name}" if is_one else "")
                yield Operation(
                    id=f"{name}_{method.lower()}{'' if is_one else 'All'}At{where}",
                    method=method,
                    path=path,
                    tag=name,
                    summary=f"Needs {operation.action}.",
                    parameters=(API_VERSION, *(() if is_one else (FILTER,))),
                    body=bodies[kind] if method == "PUT" else None,
                    answers=_answers(method),
                    refusals=READ if method == "GET" else WRITTEN,
                    security=BEARER,
                )


def _body(model: type[Properties], schemas: Schemas) -> Json:
    said = schemas.add(model.__name__, schemas.of_model(model, model.__name__))
    return json_body({"type": "object", "properties": {"properties": said}})


def _answers(method: str) -> dict[int, Answer]:
    shown = Answer(schema={"type": "object"})
    more = {"PUT": {201: shown}, "DELETE": {204: Answer()}}
    return {200: shown, **more.get(method, {})}
