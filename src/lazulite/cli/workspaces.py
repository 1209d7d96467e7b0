"""`ml workspace`: workspaces of a resource group."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.deployments import present
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import ANYTHING, FLAG, TEXT, TEXTS, Shape
from lazulite.cli.wire import camel, envelope, pascal, snake_keys
from lazulite.cli.workspace import Workspace

VERSION = "2023-10-01"
_SWITCH = frozenset({"enabled", "disabled"})
_PROPERTIES: Mapping[str, Shape] = {
    "display_name": TEXT,
    "description": TEXT,
    "hbi_workspace": FLAG,
    "storage_account": TEXT,
    "key_vault": TEXT,
    "application_insights": TEXT,
    "container_registry": TEXT,
    "image_build_compute": TEXT,
    "public_network_access": _SWITCH,
    "primary_user_assigned_identity": TEXT,
}
SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "location": TEXT,
    "tags": TEXTS,
    "resource_group": TEXT,
    "identity": ANYTHING,
    **_PROPERTIES,
}
_WIRE = {"display_name": "friendlyName"}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the workspace; with the name of one that is there, change what is said."""
    place, shown = arguments.location, arguments.display_name
    found = assets.document(arguments, SHAPE, location=place, display_name=shown)
    if not found.values.get("name"):
        raise found.error((), "a workspace needs a name: give --name or the field `name`")
    there = _named(workspace, str(found.values["name"]))
    return _put(there, found.values, waiting=not arguments.no_wait)


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say; the rest stays as it is."""
    there = _named(workspace, arguments.name)
    current = view(there.get("", VERSION))
    kept = {name: value for name, value in current.items() if name in SHAPE}
    found = assets.document(arguments, SHAPE, kept, display_name=arguments.display_name)
    return _put(there, found.values, waiting=not arguments.no_wait)


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One workspace; without --name, the one that commands work in."""
    return view(_named(workspace, arguments.name).get("", VERSION))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All workspaces of the resource group."""
    known = workspace.connection
    collection = known.workspace_id.rpartition("/")[0]
    url = f"{known.url}{collection}?api-version={VERSION}"
    found = []
    while url:
        page = workspace.call("GET", workspace.absolute(url)).value()
        found += [view(each) for each in page["value"]]
        url = page.get("nextLink") or ""
    return found


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the workspace and what is in it. --all-resources: accepted; they are records."""
    operations.delete(_named(workspace, arguments.name), "", waiting=not arguments.no_wait)


def list_keys(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The keys of what the workspace depends on."""
    return dict(_named(workspace, arguments.name).post("listKeys"))


def sync_keys(workspace: Workspace, arguments: Arguments) -> None:
    """Let the workspace's datastores use the storage account's present key."""
    _named(workspace, arguments.name).post("resyncKeys")


def diagnose(workspace: Workspace, arguments: Arguments) -> Any:
    """What is wrong with the resources that the workspace depends on."""
    return snake_keys(_named(workspace, arguments.name).post("diagnose"))


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A workspace as az prints it."""
    shown = {**envelope(resource), **snake_keys(resource.get("properties") or {})}
    shown["display_name"] = shown.pop("friendly_name", None)
    shown["mlflow_tracking_uri"] = shown.pop("ml_flow_tracking_uri", None)
    shown["resource_group"] = shown.get("resourceGroup")
    if access := shown.get("public_network_access"):
        shown["public_network_access"] = str(access).lower()
    return present(shown)


def _put(there: Workspace, values: Mapping[str, Any], *, waiting: bool) -> dict[str, Any]:
    group = values.get("resource_group")
    if group and str(group).lower() != there.connection.resource_group.lower():
        raise CommandError(
            "InvalidArgument",
            f"The file says the resource group {group!r}, and the command works in"
            f" {there.connection.resource_group!r}: give --resource-group {group}.",
        )
    said = {name: values.get(name) for name in _PROPERTIES}
    if said["public_network_access"]:
        said["public_network_access"] = pascal(str(said["public_network_access"]))
    body = {
        "location": values.get("location") or "local",
        "tags": values.get("tags") or {},
        "identity": values.get("identity") or {"type": "SystemAssigned"},
        "properties": present({_WIRE.get(name, camel(name)): said[name] for name in said}),
    }
    return view(operations.put(there, "", body, waiting=waiting, version=VERSION))


def _named(workspace: Workspace, name: str) -> Workspace:
    """The same server and group with another workspace; with no name, the same one."""
    chosen = name or workspace.connection.workspace
    connection = dataclasses.replace(workspace.connection, workspace=chosen)
    return dataclasses.replace(workspace, connection=connection)
