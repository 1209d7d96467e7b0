"""Graph, as the `ad` and `role` commands call it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.workspace import Workspace

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def graph(
    workspace: Workspace, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Any:
    """What Graph answers; None if it has no body. Raises CommandError if it is not 2xx."""
    base = f"{workspace.connection.url}/graph"
    scope = f"{base}/.default"
    return workspace.call(method, f"{base}/v1.0{path}", body, scope=scope).value()


def listed(workspace: Workspace, collection: str, condition: str = "") -> list[dict[str, Any]]:
    """Objects of a collection; condition: an OData filter, "" for all."""
    query = f"?{urlencode({'$filter': condition})}" if condition else ""
    found = graph(workspace, "GET", f"/{collection}{query}")
    return list(found["value"])


def quoted(text: str) -> str:
    """A text as OData writes it."""
    return "'" + text.replace("'", "''") + "'"


def find_principal(workspace: Workspace, given: str) -> dict[str, Any]:
    """The service principal of an app id or object id. Raises CommandError, exit code 3."""
    for field in ("appId", "id"):
        if found := listed(workspace, "servicePrincipals", f"{field} eq {quoted(given)}"):
            return found[0]
    message = f"Service principal '{given}' doesn't exist: give its app id or its object id."
    raise CommandError("Request_ResourceNotFound", message, exit_code=NOT_FOUND)


def find_application(workspace: Workspace, client_id: str) -> dict[str, Any]:
    """The application of an app id. Raises CommandError, exit code 3."""
    found = listed(workspace, "applications", f"appId eq {quoted(client_id)}")
    if not found:
        message = f"There is no application with the app id '{client_id}'."
        raise CommandError("Request_ResourceNotFound", message, exit_code=NOT_FOUND)
    return found[0]
