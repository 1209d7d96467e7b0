"""`role assignment` and `role definition`: who may do what, and where."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any
from urllib.parse import quote, urlencode

from lazulite.cli.arguments import Arguments
from lazulite.cli.directory import GUID, find_principal, listed, quoted
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.workspace import Workspace

API_VERSION = "2022-04-01"
SERVICE_PRINCIPAL = "ServicePrincipal"
_PROVIDER = "providers/Microsoft.Authorization"


def create_assignment(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Give a role; the same again changes nothing."""
    kind = arguments.assignee_principal_type or SERVICE_PRINCIPAL
    object_id = _assignee(workspace, arguments)
    return assign(workspace, (object_id, kind), arguments.role, arguments.scope)


def assign(workspace: Workspace, who: tuple[str, str], role: str, scope: str) -> dict[str, Any]:
    """Give the role, by name or id, at the scope. who: object id and type. Safe to repeat."""
    object_id, kind = who
    role_id = _role_id(workspace, role, scope)
    name = _stable_guid(object_id, role_id, scope)
    body = {
        "properties": {
            "roleDefinitionId": role_id,
            "principalId": object_id,
            "principalType": kind,
        }
    }
    return _flat(_call(workspace, "PUT", scope, f"roleAssignments/{name}", body))


def list_assignments(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """Roles at the scope, by default the subscription's; with --all, below it too."""
    scope = arguments.scope or f"/subscriptions/{workspace.connection.subscription_id}"
    found = _assignments(workspace, scope, arguments)
    wide = arguments.everything
    chosen = [
        item
        for item in found
        if _same(item["scope"], scope)
        or (wide and _below(item["scope"], scope))
        or (arguments.include_inherited and _below(scope, item["scope"]))
    ]
    return _named(workspace, chosen)


def delete_assignment(workspace: Workspace, arguments: Arguments) -> None:
    """Take roles back: those of the ids, or all that fit assignee, role and scope."""
    ids = list(arguments.ids)
    if not ids:
        if not (arguments.assignee or arguments.assignee_object_id):
            message = "Say whose roles to take back with --assignee, or which ones with --ids."
            raise CommandError("UsageError", message)
        scope = arguments.scope or f"/subscriptions/{workspace.connection.subscription_id}"
        found = _assignments(workspace, scope, arguments)
        ids = [item["id"] for item in found if _same(item["scope"], scope)]
        if not ids:
            message = f"There is no such role assignment at '{scope}'."
            raise CommandError("RoleAssignmentNotFound", message, exit_code=NOT_FOUND)
    for arm_id in ids:
        url = f"{workspace.connection.url}{quote(arm_id)}?api-version={API_VERSION}"
        workspace.call("DELETE", url)


def list_definitions(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """Roles that can be assigned at the scope, by default the subscription's."""
    scope = arguments.scope or f"/subscriptions/{workspace.connection.subscription_id}"
    query = {"$filter": f"roleName eq {quoted(arguments.name)}"} if arguments.name else {}
    found = _call(workspace, "GET", scope, "roleDefinitions", query=query)["value"]
    shown = [{**_flat(item), "roleType": item["properties"]["type"]} for item in found]
    return [
        {**item, "type": "Microsoft.Authorization/roleDefinitions"}
        for item in shown
        if item["roleType"] == "CustomRole" or not arguments.custom_role_only
    ]


def _assignments(workspace: Workspace, scope: str, arguments: Arguments) -> list[dict[str, Any]]:
    """Those around the scope that fit the assignee and the role."""
    query = {}
    if arguments.assignee or arguments.assignee_object_id:
        query["$filter"] = f"principalId eq {quoted(_assignee(workspace, arguments))}"
    found = _call(workspace, "GET", scope, "roleAssignments", query=query)["value"]
    shown = [_flat(item) for item in found]
    if arguments.role:
        role_id = _role_id(workspace, arguments.role, scope).rpartition("/")[2]
        shown = [item for item in shown if item["roleDefinitionId"].endswith(role_id)]
    return shown


def _named(workspace: Workspace, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the names of roles, and of principals as far as the caller may see them."""
    if not found:
        return []
    scope = f"/subscriptions/{workspace.connection.subscription_id}"
    roles = _call(workspace, "GET", scope, "roleDefinitions")["value"]
    role_names = {role["name"]: role["properties"]["roleName"] for role in roles}
    names = _principal_names(workspace)
    return [
        {
            **item,
            "principalName": names.get(item["principalId"], ""),
            "roleDefinitionName": role_names.get(item["roleDefinitionId"].rpartition("/")[2], ""),
        }
        for item in found
    ]


def _principal_names(workspace: Workspace) -> dict[str, str]:
    """App ids by object id, as az shows service principals; none without a right to the list."""
    try:
        found = listed(workspace, "servicePrincipals")
    except CommandError as error:
        if error.code == "Authorization_RequestDenied":
            return {}
        raise
    return {item["id"]: item["appId"] for item in found}


def _assignee(workspace: Workspace, arguments: Arguments) -> str:
    """The object id of who is meant."""
    if arguments.assignee_object_id:
        return arguments.assignee_object_id
    if not arguments.assignee:
        raise CommandError("UsageError", "Say who with --assignee or --assignee-object-id.")
    try:
        return str(find_principal(workspace, arguments.assignee)["id"])
    except CommandError as error:
        if error.code != "Authorization_RequestDenied":
            raise
        message = (
            f"You may not look up '{arguments.assignee}' in the directory: give its object id "
            "with --assignee-object-id."
        )
        raise CommandError(error.code, message) from error


def _role_id(workspace: Workspace, role: str, scope: str) -> str:
    """The id of a role given by name, GUID or id."""
    if GUID.fullmatch(role.rpartition("/")[2]):
        return role
    query = {"$filter": f"roleName eq {quoted(role)}"}
    found = _call(workspace, "GET", scope, "roleDefinitions", query=query)["value"]
    if not found:
        message = (
            f"Role '{role}' doesn't exist. `lazulite role definition list` shows those there are."
        )
        raise CommandError("RoleDefinitionDoesNotExist", message, exit_code=NOT_FOUND)
    return str(found[0]["id"])


def _stable_guid(*parts: str) -> str:
    """A GUID that the same parts give again, so that a repeated command finds its assignment."""
    digest = hashlib.sha256("\0".join(part.lower().rstrip("/") for part in parts).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _call(
    workspace: Workspace,
    method: str,
    scope: str,
    path: str,
    body: dict[str, Any] | None = None,
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    asked = urlencode({"api-version": API_VERSION, **(query or {})})
    head = quote(scope.rstrip("/"))
    url = f"{workspace.connection.url}{head}/{_PROVIDER}/{path}?{asked}"
    found: dict[str, Any] = workspace.call(method, url, body).value()
    return found


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    """The properties beside id, name and type, as az prints them."""
    head = {name: item[name] for name in ("id", "name", "type")}
    return {**item["properties"], **head}


def _same(one: str, other: str) -> bool:
    return one.rstrip("/").lower() == other.rstrip("/").lower()


def _below(scope: str, above: str) -> bool:
    return scope.lower().startswith(f"{above.rstrip('/').lower()}/")
