"""Microsoft.Authorization: roles and who has them, at any scope.

Assignments and definitions are rows of their own tables, and stand under any resource, so they are
no kinds. They pass through ArmApp like everything else; each operation below names its action, and
nothing is done before the guard has been asked for it. Source: Azure's REST reference,
Authorization (roleAssignments, roleDefinitions, permissions; 2015-07-01 to 2022-05-01-preview).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.arm.authorization_bodies import (
    definition_view,
    permission_view,
    read_assignment,
    read_definition,
    stored_view,
)
from lazulite.arm.authorization_filters import assignment_filter, definition_filter
from lazulite.arm.errors import not_allowed, not_found
from lazulite.arm.requests import json_body
from lazulite.arm.versions import check_version
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold
from lazulite.identity.access import Principal
from lazulite.identity.assignments import RoleAssignments
from lazulite.identity.authorize import Guard
from lazulite.identity.role_definitions import RoleDefinitions
from lazulite.identity.roles import ROLES, Role, reaches
from lazulite.identity.tokens import Audience
from lazulite.store.resources import Resources

PROVIDER = "Microsoft.Authorization"
OLDEST = "2015-07-01"
_PATH = re.compile(
    r"(?P<scope>(?:/[^/]+)*)/providers/Microsoft\.Authorization"
    r"/(?P<type>[^/]+)(?:/(?P<name>[^/]+))?/?",
    re.IGNORECASE,
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """One authorised request. name: "" for a collection."""

    http: Request
    caller: Principal
    scope: str
    name: str
    query: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Operation:
    """What answers a method, and the action that the caller must be allowed."""

    action: str
    answer: Callable[[Call], Awaitable[Response]]


class Authorization:
    """Answers everything under .../providers/Microsoft.Authorization."""

    def __init__(
        self,
        resources: Resources,
        guard: Guard,
        assignments: RoleAssignments,
        definitions: RoleDefinitions,
    ) -> None:
        self._resources, self._guard = resources, guard
        self._assignments, self._definitions = assignments, definitions
        self.operations = self._table()

    def owns(self, path: str) -> bool:
        """Whether the path is one of this provider's, under whatever scope."""
        return _PATH.fullmatch(path) is not None

    async def handle(self, http: Request) -> Response:
        """Answer one request. Raises ArmError."""
        path = http.scope["path"]
        match = _PATH.fullmatch(path)
        if match is None:
            raise ArmError("NotFound", f"There is nothing at {path!r}.", 404)
        kind, name = match["type"].lower(), match["name"] or ""
        query = {key.lower(): value for key, value in http.query_params.items()}
        methods = self.operations.get((kind, bool(name)))
        operation = (methods or {}).get(http.method)
        scope = match["scope"] or "/"
        action = operation.action if operation else f"{PROVIDER}/{kind}/read"
        caller = await self._guard.require(http.headers, action, scope, Audience.MANAGEMENT)
        check_version(query.get("api-version"), f"{PROVIDER}/{kind}", OLDEST)
        if methods is None:
            message = (
                f"The resource type '{match['type']}' could not be found in the namespace "
                f"'{PROVIDER}'."
            )
            raise ArmError("InvalidResourceType", message, 404)
        if operation is None:
            raise not_allowed(http.method, f"{PROVIDER}/{match['type']}", sorted(methods))
        call = Call(http=http, caller=caller, scope=scope, name=name.lower(), query=query)
        return await operation.answer(call)

    def _table(self) -> dict[tuple[str, bool], dict[str, Operation]]:
        """By type, folded, and whether one of them is meant: the methods."""
        roles, given = f"{PROVIDER}/roleDefinitions", f"{PROVIDER}/roleAssignments"
        may = f"{PROVIDER}/permissions/read"
        return {
            ("roleassignments", False): {"GET": Operation(f"{given}/read", self._list)},
            ("roleassignments", True): {
                "GET": Operation(f"{given}/read", self._get),
                "PUT": Operation(f"{given}/write", self._put),
                "DELETE": Operation(f"{given}/delete", self._delete),
            },
            ("roledefinitions", False): {"GET": Operation(f"{roles}/read", self._list_roles)},
            ("roledefinitions", True): {
                "GET": Operation(f"{roles}/read", self._get_role),
                "PUT": Operation(f"{roles}/write", self._put_role),
                "DELETE": Operation(f"{roles}/delete", self._delete_role),
            },
            ("permissions", False): {"GET": Operation(may, self._permissions)},
        }

    async def _list(self, call: Call) -> Response:
        scope = await self._existing(call.scope)
        chosen = assignment_filter(call.query.get("$filter", ""), scope)
        found = [each for each in await self._assignments.around(scope) if chosen(each.assignment)]
        return _listed([stored_view(each, call.query["api-version"]) for each in found])

    async def _get(self, call: Call) -> Response:
        found = await self._assignments.stored(call.name, call.scope)
        if found is None:
            raise ArmError(
                "RoleAssignmentNotFound",
                f"The role assignment '{call.name}' is not found at the scope '{call.scope}'.",
                404,
            )
        return JSONResponse(stored_view(found, call.query["api-version"]))

    async def _put(self, call: Call) -> Response:
        _check_guid(call.name, "role assignment")
        scope = await self._existing(call.scope)
        wanted = read_assignment(await json_body(call.http), call.name, scope)
        is_new = await self._assignments.assign(wanted, call.caller.object_id)
        found = await self._assignments.stored(call.name, scope)
        view = stored_view(found, call.query["api-version"]) if found else {}
        return JSONResponse(view, 201 if is_new else 200)

    async def _delete(self, call: Call) -> Response:
        found = await self._assignments.stored(call.name, call.scope)
        if found is None or not await self._assignments.unassign(call.name):
            return Response(status_code=204)
        return JSONResponse(stored_view(found, call.query["api-version"]))

    async def _list_roles(self, call: Call) -> Response:
        scope = await self._existing(call.scope)
        chosen = definition_filter(call.query.get("$filter", ""))
        found = [role for role in await self._definitions.at(scope) if chosen(role)]
        return _listed([definition_view(role, scope) for role in found])

    async def _get_role(self, call: Call) -> Response:
        role = await self._definitions.find(call.name)
        if role is None or not _may_see(call, role):
            message = f"The specified role definition with ID '{call.name}' does not exist."
            raise ArmError("RoleDefinitionDoesNotExist", message, 404)
        return JSONResponse(definition_view(role, call.scope))

    async def _put_role(self, call: Call) -> Response:
        _check_guid(call.name, "role definition")
        role = read_definition(await json_body(call.http), call.name)
        await self._may_change(call, role, "write")
        for scope in role.assignable_scopes:
            await self._existing(scope)
        is_new = await self._definitions.put(role)
        return JSONResponse(definition_view(role, call.scope), 201 if is_new else 200)

    async def _delete_role(self, call: Call) -> Response:
        role = await self._definitions.find(call.name)
        if role is None:
            return Response(status_code=204)
        await self._may_change(call, role, "delete")
        await self._definitions.remove(role.id)
        return JSONResponse(definition_view(role, call.scope))

    async def _may_change(self, call: Call, role: Role, verb: str) -> None:
        """A role can be changed by who may do so at all its scopes, old and new."""
        if role.id in ROLES:
            message = f"The role '{ROLES[role.id].name}' is built in: make one of your own instead."
            raise ArmError("RoleDefinitionUpdateNotPermitted", message, 403)
        present = await self._definitions.find(role.id)
        before = present.assignable_scopes if present else ()
        action = f"{PROVIDER}/roleDefinitions/{verb}"
        for scope in (*role.assignable_scopes, *before):
            await self._guard.require(call.http.headers, action, scope, Audience.MANAGEMENT)

    async def _permissions(self, call: Call) -> Response:
        """What the caller's roles allow at the scope, a role each."""
        roles = call.caller.roles_at(await self._existing(call.scope))
        return _listed([permission_view(role) for role in roles])

    async def _existing(self, scope: str) -> str:
        """The scope as it was first spelled. Raises ArmError 404 if nothing is there."""
        if not fold(scope):
            return "/"
        if (found := await self._resources.find(scope)) is None:
            raise not_found("scope", scope)
        return found.id


def _listed(value: list[dict[str, Any]]) -> Response:
    return JSONResponse({"value": value, "nextLink": None})


def _may_see(call: Call, role: Role) -> bool:
    """Built-in roles are seen anywhere, others from scopes in, above or below their own."""
    scopes = ((each, call.scope) for each in role.assignable_scopes)
    return role.id in ROLES or any(reaches(a, b) or reaches(b, a) for a, b in scopes)


def _check_guid(name: str, what: str) -> None:
    if not _GUID.fullmatch(name):
        message = f"The {what} ID '{name}' is not valid. The {what} ID must be a GUID."
        raise ArmError("InvalidRoleAssignmentId" if "assign" in what else _BAD_ROLE, message)


_BAD_ROLE = "InvalidRoleDefinitionId"
