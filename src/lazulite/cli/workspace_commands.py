"""The commands of `ml` about workspaces themselves, and what they know of other services."""

from __future__ import annotations

from lazulite.cli.commands import GENERIC, Command

_CHANGE = "file set_values description tags display_name no_wait"
WORKSPACES = (
    Command(
        "workspace create",
        "workspaces#create",
        "Create a workspace.",
        f"name location {_CHANGE}",
    ),
    Command("workspace show", "workspaces#show", "Show a workspace.", "name"),
    Command("workspace list", "workspaces#listing", "List the workspaces of a resource group."),
    Command("workspace update", "workspaces#update", "Change a workspace.", f"name {_CHANGE}"),
    Command(
        "workspace delete",
        "workspaces#delete",
        "Delete a workspace and what is in it.",
        "name! no_wait all_resources",
        "Delete the workspace and everything in it?",
    ),
    Command(
        "workspace list-keys",
        "workspaces#list_keys",
        "Show the keys of what a workspace depends on.",
        "name",
    ),
    Command(
        "workspace sync-keys",
        "workspaces#sync_keys",
        "Have datastores use the storage account's present key.",
        "name",
    ),
    Command(
        "workspace diagnose",
        "workspaces#diagnose",
        "Look for what is wrong with what a workspace depends on.",
        "name",
    ),
    Command(
        "connection create",
        "connections#create",
        "Create a connection to another service.",
        "name file set_values tags",
    ),
    Command("connection show", "connections#show", "Show a connection.", "name! populate_secrets"),
    Command("connection list", "connections#listing", "List the connections.", "kind max_results"),
    Command(
        "connection update",
        "connections#update",
        "Change a connection.",
        f"name! file tags {GENERIC}",
    ),
    Command(
        "connection delete", "connections#delete", "Delete a connection.", "name!", "Delete it?"
    ),
)
"""Beside those of ML."""
WORKSPACE_COLUMNS = {
    "ml workspace": ("name", "location", "resource_group", "display_name"),
    "ml connection": ("name", "type", "target"),
}
WORKSPACE_GROUPS = {
    "ml workspace": "Workspaces: everything else is in one.",
    "ml connection": "Addresses of other services, and how to get in.",
}
