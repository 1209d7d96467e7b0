"""`group`: what workspaces stand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import pairs
from lazulite.cli.defaults import read_defaults
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.workspace import Workspace

_API_VERSION = "2022-09-01"


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All resource groups of the subscription."""
    found = workspace.call("GET", _url(workspace, "")).value()
    return [_view(each) for each in found["value"]]


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One group; the default one if none is named."""
    name = arguments.name or workspace.connection.resource_group
    return _view(workspace.call("GET", _url(workspace, name)).value())


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the group; one that is there keeps what is in it."""
    kept = read_defaults(workspace.connection.data_dir)
    body = {
        "location": arguments.location or kept.get("location") or "local",
        "tags": pairs(arguments.tags, "--tags"),
    }
    return _view(workspace.call("PUT", _url(workspace, arguments.name), body).value())


def exists(workspace: Workspace, arguments: Arguments) -> bool:
    """Whether the group is there."""
    try:
        show(workspace, arguments)
    except CommandError as error:
        if error.exit_code == NOT_FOUND:
            return False
        raise
    return True


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the group. Raises CommandError if it is not empty."""
    workspace.call("DELETE", _url(workspace, arguments.name))


def _url(workspace: Workspace, name: str) -> str:
    known = workspace.connection
    below = f"/{quote(name)}" if name else ""
    path = f"/subscriptions/{known.subscription_id}/resourceGroups{below}"
    return f"{known.url}{path}?api-version={_API_VERSION}"


def _view(found: Mapping[str, Any]) -> dict[str, Any]:
    """With what az always prints."""
    return {**found, "managedBy": None, "type": "Microsoft.Resources/resourceGroups"}
