"""Role assignments and definitions between JSON and values. Source: Azure's REST reference."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from lazulite.arm.kind import Properties
from lazulite.arm.names import canonical
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold
from lazulite.identity.assignments import StoredAssignment
from lazulite.identity.roles import Role, RoleAssignment, is_plain, role_id_of
from lazulite.store.resources import Json

APPLICATION = "ServicePrincipal"
Model = TypeVar("Model", bound=Properties)
_TYPE = "Microsoft.Authorization/"
_ACTION = re.compile(r"\*|[A-Za-z0-9.*]+(/[A-Za-z0-9.*_-]+)+")


class AssignmentBody(Properties):
    """Properties of a role assignment, as a PUT gives them."""

    role_definition_id: str
    principal_id: str
    principal_type: str | None = None
    condition: str | None = None


class Permission(Properties):
    """One block of permissions of a custom role."""

    actions: list[str] = Field(default_factory=list)
    not_actions: list[str] = Field(default_factory=list)
    data_actions: list[str] = Field(default_factory=list)
    not_data_actions: list[str] = Field(default_factory=list)


class DefinitionBody(Properties):
    """Properties of a custom role, as a PUT gives them."""

    role_name: str = Field(min_length=1, max_length=512)
    description: str | None = Field(default=None, max_length=2048)
    permissions: list[Permission] = Field(min_length=1, max_length=1)
    assignable_scopes: list[str] = Field(min_length=1, max_length=2000)


def read_assignment(body: Any, name: str, scope: str) -> RoleAssignment:
    """The assignment that a PUT asks for. Raises ArmError 400."""
    asked = _read(AssignmentBody, body)
    if asked.condition:
        message = "Conditions of role assignments are not evaluated here: leave 'condition' out."
        raise ArmError("BadArgument", message, target="condition")
    kind = asked.principal_type or APPLICATION
    if kind.lower() != APPLICATION.lower():
        message = (
            f"The PrincipalId '{asked.principal_id}' has type '{APPLICATION}', which is different "
            f"from the specified PrincipalType '{kind}'. Only service principals have roles here."
        )
        raise ArmError("UnmatchedPrincipalType", message)
    return RoleAssignment(
        name=name,
        object_id=asked.principal_id.lower(),
        role_id=role_id_of(asked.role_definition_id),
        scope=scope,
    )


def read_definition(body: Any, role_id: str) -> Role:
    """The custom role that a PUT asks for. Raises ArmError 400."""
    asked = _read(DefinitionBody, body)
    (permission,) = asked.permissions
    for scope in asked.assignable_scopes:
        if not fold(scope) or not is_plain(scope):
            message = (
                f"The assignable scope '{scope}' is not valid: a custom role names "
                "subscriptions, groups or resources, not everything."
            )
            raise ArmError("BadArgument", message, target="assignableScopes")
    return Role(
        id=role_id,
        name=asked.role_name,
        description=asked.description or "",
        actions=_patterns(permission.actions),
        not_actions=_patterns(permission.not_actions),
        data_actions=_patterns(permission.data_actions),
        not_data_actions=_patterns(permission.not_data_actions),
        assignable_scopes=tuple(asked.assignable_scopes),
        is_custom=True,
    )


def stored_view(stored: StoredAssignment, version: str) -> Json:
    """The resource that an assignment is shown as."""
    given = stored.assignment
    at = _time(stored.created_at)
    properties: Json = {
        "roleDefinitionId": _role_id(given.role_id, given.scope),
        "principalId": given.object_id,
        "scope": given.scope,
        "createdOn": at,
        "updatedOn": at,
        "createdBy": stored.created_by,
        "updatedBy": stored.created_by,
    }
    if version > "2015-07-01":
        properties |= {"principalType": APPLICATION, "condition": None, "conditionVersion": None}
    head = given.scope.rstrip("/")
    return {
        "id": f"{head}/providers/{_TYPE}roleAssignments/{given.name}",
        "name": given.name,
        "type": f"{_TYPE}roleAssignments",
        "properties": properties,
    }


def definition_view(role: Role, scope: str) -> Json:
    """The resource that a role is shown as, asked at the scope."""
    return {
        "id": _role_id(role.id, scope),
        "name": role.id,
        "type": f"{_TYPE}roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": "CustomRole" if role.is_custom else "BuiltInRole",
            "description": role.description,
            "assignableScopes": list(role.assignable_scopes),
            "permissions": [permission_view(role)],
        },
    }


def permission_view(role: Role) -> Json:
    """What a role allows."""
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": list(role.data_actions),
        "notDataActions": list(role.not_data_actions),
    }


def _role_id(role_id: str, scope: str) -> str:
    """With the subscription of the scope, as Azure shows it."""
    segments = scope.split("/")
    head = "/".join(segments[:3]) if segments[1:2] == ["subscriptions"] else ""
    return f"{head}/providers/{_TYPE}roleDefinitions/{role_id}"


def _read(model: type[Model], body: Any) -> Model:
    found = body.get("properties", body) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        message = "The request content was invalid: send {'properties': {...}}."
        raise ArmError("InvalidRequestContent", message)
    try:
        return model.model_validate(canonical(model, found))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
            for each in error.errors(include_url=False)
        )
        raise ArmError("InvalidRequestContent", f"The request is not valid: {faults}.") from error


def _patterns(texts: list[str]) -> tuple[str, ...]:
    for text in texts:
        if not _ACTION.fullmatch(text):
            message = (
                f"'{text}' does not match any of the actions supported by the providers: write "
                "provider/type/verb, with * for any text."
            )
            raise ArmError("InvalidActionOrNotAction", message)
    return tuple(texts)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
