"""`ad sp` and `ad key`: service principals, their secrets, and the keys that sign tokens."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.directory import find_application, find_principal, graph, listed, quoted
from lazulite.cli.errors import CommandError
from lazulite.cli.roles import SERVICE_PRINCIPAL, assign
from lazulite.cli.workspace import Workspace

_WARNING = "The output includes credentials that you must protect: they are shown this once."


def create_for_rbac(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """A service principal with a new secret, and roles. An application of that name is reused."""
    if bool(arguments.role) != bool(arguments.scopes):
        message = "To create role assignments, specify both --role and --scopes."
        raise CommandError("UsageError", message)
    name = arguments.name or workspace.make_id()
    same = listed(workspace, "applications", f"displayName eq {quoted(name)}")
    if same:
        workspace.report.note(f"Found an existing application: {same[0]['appId']}. It is reused.")
    application = same[0] if same else _new_application(workspace, name)
    client_id = application["appId"]
    known = listed(workspace, "servicePrincipals", f"appId eq {quoted(client_id)}")
    principal = known[0] if known else _new_principal(workspace, client_id)
    for scope in arguments.scopes:
        workspace.report.note(f"Creating '{arguments.role}' role assignment under scope '{scope}'")
        assign(workspace, (principal["id"], SERVICE_PRINCIPAL), arguments.role, scope)
    secret = _add_secret(workspace, application["id"], arguments)
    workspace.report.note(_WARNING)
    return {
        "appId": client_id,
        "displayName": name,
        "password": secret["secretText"],
        "tenant": workspace.connection.tenant_id,
    }


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The service principal of an application that has none."""
    return _new_principal(workspace, arguments.id)


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One service principal."""
    return find_principal(workspace, arguments.id)


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """Service principals; --display-name: those whose names begin so."""
    starts = f"startswith(displayName,{quoted(arguments.display_name)})"
    condition = arguments.filter or (starts if arguments.display_name else "")
    return listed(workspace, "servicePrincipals", condition)


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """A service principal with its application, secrets and roles."""
    client_id = find_principal(workspace, arguments.id)["appId"]
    application = find_application(workspace, client_id)
    graph(workspace, "DELETE", f"/applications/{application['id']}")


def reset_credential(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """A new secret in place of all others, or beside them with --append.

    The file that this command signs in with is brought up to date if the secret is its own.
    """
    client_id = find_principal(workspace, arguments.id)["appId"]
    application = find_application(workspace, client_id)
    secret = _add_secret(workspace, application["id"], arguments)
    if client_id == workspace.connection.client_id:
        _keep(workspace.connection.credentials, client_id, secret["secretText"])
        workspace = _as(workspace, secret["secretText"])
    for old in application["passwordCredentials"] if not arguments.append else []:
        body = {"keyId": old["keyId"]}
        graph(workspace, "POST", f"/applications/{application['id']}/removePassword", body)
    workspace.report.note(_WARNING)
    return {
        "appId": client_id,
        "password": secret["secretText"],
        "tenant": workspace.connection.tenant_id,
    }


def list_credentials(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The secrets of a service principal, without the secrets themselves."""
    client_id = find_principal(workspace, arguments.id)["appId"]
    found = find_application(workspace, client_id)["passwordCredentials"]
    return [{name: item[name] for name in item if name != "secretText"} for item in found]


def delete_credential(workspace: Workspace, arguments: Arguments) -> None:
    """One secret of a service principal."""
    client_id = find_principal(workspace, arguments.id)["appId"]
    application = find_application(workspace, client_id)
    path = f"/applications/{application['id']}/removePassword"
    graph(workspace, "POST", path, {"keyId": arguments.key_id})


def list_keys(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The key that signs tokens, and retired ones until their tokens have expired."""
    return list(graph(workspace, "GET", "/tokenSigningKeys")["value"])


def rotate_key(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """Sign tokens with a new key from now on."""
    return list(graph(workspace, "POST", "/tokenSigningKeys", {})["value"])


def _new_application(workspace: Workspace, name: str) -> dict[str, Any]:
    made: dict[str, Any] = graph(workspace, "POST", "/applications", {"displayName": name})
    return made


def _new_principal(workspace: Workspace, client_id: str) -> dict[str, Any]:
    made: dict[str, Any] = graph(workspace, "POST", "/servicePrincipals", {"appId": client_id})
    return made


def _add_secret(workspace: Workspace, object_id: str, arguments: Arguments) -> dict[str, Any]:
    """A new secret of the application: good for a year, unless the arguments say otherwise."""
    ends_at = datetime.now(UTC) + timedelta(days=365 * (arguments.years or 1))
    asked = {
        "displayName": arguments.display_name or "rbac",
        "endDateTime": arguments.end_date or ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    path = f"/applications/{object_id}/addPassword"
    made: dict[str, Any] = graph(workspace, "POST", path, {"passwordCredential": asked})
    return made


def _as(workspace: Workspace, secret: str) -> Workspace:
    """The same workspace, signed in with another secret of the same client."""
    connection = dataclasses.replace(workspace.connection, client_secret=secret)
    tokens = dataclasses.replace(workspace.tokens, connection=connection)
    return dataclasses.replace(workspace, connection=connection, tokens=tokens)


def _keep(path: Path, client_id: str, secret: str) -> None:
    """Put the secret into the file if it holds this client, in one step."""
    try:
        known = json.loads(path.read_bytes())
    except FileNotFoundError:
        return
    if known.get("client_id") == client_id:
        _replace(path, {**known, "client_secret": secret})


def _replace(path: Path, content: Mapping[str, Any]) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(content, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)
