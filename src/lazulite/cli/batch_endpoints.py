"""`ml batch-endpoint`, but for its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import percentages
from lazulite.cli.errors import CommandError
from lazulite.cli.online_endpoints import AUTH_MODES
from lazulite.cli.shapes import ANYTHING, TEXT, TEXTS, Shape
from lazulite.cli.wire import envelope, snake_keys
from lazulite.cli.workspace import Workspace

COLLECTION = "batchEndpoints"
SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
    "auth_mode": frozenset({"key", "aml_token", "aad_token"}),
    "defaults": (TEXT, {"deployment_name": TEXT}),
    "identity": ANYTHING,
    "location": TEXT,
}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the endpoint, or replace it."""
    values = assets.document(arguments, SHAPE, auth_mode=arguments.auth_mode).values
    if not values.get("name"):
        raise CommandError(
            "InvalidArgument", "An endpoint needs a name: give --name or the field `name`."
        )
    return put(workspace, values, waiting=not arguments.no_wait)


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say; the rest stays as it is."""
    name = assets.name_in(arguments, "an endpoint")
    current = view(workspace.get(f"{COLLECTION}/{name}"))
    kept = {name: value for name, value in current.items() if name in SHAPE}
    values = assets.document(arguments, SHAPE, kept).values
    if chosen := default_of(arguments):
        values["defaults"] = {"deployment_name": chosen}
    return put(workspace, values, waiting=not arguments.no_wait)


def default_of(arguments: Arguments) -> str:
    """The deployment that --defaults, or --traffic <name>:100 of June 2021, makes the default."""
    if not arguments.traffic:
        return arguments.defaults.removeprefix("deployment_name=")
    full = [name for name, percent in percentages(arguments.traffic).items() if percent == 100]
    if len(full) != 1:
        raise CommandError(
            "InvalidArgument",
            "A batch endpoint sends every job to one deployment: give --traffic <name>:100.",
        )
    return full[0]


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One endpoint."""
    return view(workspace.get(f"{COLLECTION}/{arguments.name}"))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All batch endpoints."""
    return [view(item) for item in workspace.list(COLLECTION)]


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the endpoint with its deployments; its jobs stay."""
    operations.delete(workspace, f"{COLLECTION}/{arguments.name}", waiting=not arguments.no_wait)


def put(workspace: Workspace, values: Mapping[str, Any], *, waiting: bool = True) -> dict[str, Any]:
    """Put the endpoint as the values in YAML's words say, and wait until it is ready."""
    body = to_body(values, values.get("location") or workspace.location())
    path = f"{COLLECTION}/{values['name']}"
    return view(operations.put(workspace, path, body, waiting=waiting))


def to_body(values: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The body of a PUT."""
    defaults = values.get("defaults")
    chosen = defaults.get("deployment_name") if isinstance(defaults, Mapping) else defaults
    properties = {
        "authMode": AUTH_MODES[values.get("auth_mode") or "aad_token"],
        "description": values.get("description"),
        "properties": values.get("properties") or {},
        "defaults": {"deploymentName": chosen} if chosen else None,
    }
    return {
        "location": location,
        "tags": values.get("tags") or {},
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """An endpoint as az prints it."""
    shown = {**envelope(resource), **snake_keys(resource.get("properties") or {})}
    modes = {wire.lower(): name for name, wire in AUTH_MODES.items()}
    shown["auth_mode"] = modes.get(str(shown.get("auth_mode")).lower(), shown.get("auth_mode"))
    shown["openapi_uri"] = shown.pop("swagger_uri", None)
    return {key: value for key, value in shown.items() if value is not None}
