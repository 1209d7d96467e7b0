"""`ml datastore`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.wire import envelope, snake, snake_keys
from lazulite.cli.workspace import Workspace


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One datastore, without its secrets."""
    return view(workspace.get(f"datastores/{arguments.name}"))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All datastores."""
    return [view(item) for item in workspace.list("datastores")]


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A datastore as az prints it."""
    shown = {**envelope(resource), **snake_keys(resource.get("properties") or {})}
    shown.pop("credentials", None)
    shown["type"] = snake(str(shown.pop("datastore_type", "")))
    return {key: value for key, value in shown.items() if value is not None}
