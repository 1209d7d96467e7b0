"""`ml compute`: clusters and instances that jobs run on, and records of computes elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets, compute_bodies, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.compute_bodies import ATTACHED
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.cli.wire import snake_keys
from lazulite.cli.workspace import Workspace

PROVIDER = "Microsoft.MachineLearningServices"
VERSION = "2023-10-01"
"""Instances have an idle time since 2022-10."""
SHAPE = compute_bodies.SHAPE
view = compute_bodies.view


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the cluster or instance, or replace it. Raises CommandError for other types."""
    found = _document(arguments)
    if (kind := found.values.get("type") or "amlcompute") in ATTACHED:
        raise found.error(("type",), f"a {kind} cannot be made here; use `ml compute attach`")
    return _put(workspace, found.values, waiting=not arguments.no_wait)


def attach(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Keep a record of a compute elsewhere. Nothing runs on it from here."""
    found = _document(arguments)
    if found.values.get("type") not in ATTACHED:
        raise found.error(("type",), f"what is attached is one of {', '.join(sorted(ATTACHED))}")
    workspace.report.note("It is kept as a record: this server runs jobs on its own machine only.")
    return _put(workspace, found.values, waiting=not arguments.no_wait)


def detach(workspace: Workspace, arguments: Arguments) -> None:
    """Forget a compute elsewhere; it goes on there."""
    _delete(workspace, arguments, "Detach")


def start(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Start an instance, and wait until it runs."""
    return _turn(workspace, arguments, "start", "Starting")


def stop(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Stop an instance, and wait until it has."""
    return _turn(workspace, arguments, "stop", "Stopping")


def restart(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Stop an instance and start it again."""
    return _turn(workspace, arguments, "restart", "Restarting")


def list_sizes(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The sizes of nodes that there are, each with what it gets of this machine."""
    wanted = arguments.kind.lower()
    return [
        snake_keys(size)
        for size in _of_location(workspace, arguments, "vmSizes")
        if not wanted or wanted in {name.lower() for name in size["supportedComputeTypes"]}
    ]


def list_usage(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """How much of the machine is in use."""
    return [
        {**snake_keys(entry), "name": entry["name"]["value"]}
        for entry in _of_location(workspace, arguments, "usages")
    ]


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say; the rest stays as it is."""
    current = show(workspace, arguments)
    kept = {name: value for name, value in current.items() if name in SHAPE}
    values = assets.document(arguments, SHAPE, kept, **_options(arguments)).values
    return _put(workspace, values, waiting=not arguments.no_wait)


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One compute."""
    return view(workspace.get(f"computes/{arguments.name}", VERSION))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All computes, or those of one type."""
    found = [view(item) for item in workspace.list("computes", VERSION)]
    wanted = arguments.kind.lower()
    kept = [item for item in found if not wanted or item.get("type") == wanted]
    return kept[: arguments.max_results]


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the compute."""
    _delete(workspace, arguments, "Delete")


def list_nodes(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The cluster's nodes, with what each is doing."""
    answer = workspace.post(f"computes/{arguments.name}/listNodes")
    return [snake_keys(node) for node in answer.get("nodes") or answer.get("value") or ()]


def evict_node(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """Take a node away, as Azure takes one of low priority; the nodes that there are then."""
    workspace.post(f"computes/{arguments.name}/evictNode", {"nodeId": arguments.node_id})
    return list_nodes(workspace, arguments)


def reference(workspace: Workspace, found: Document, text: str | None) -> str:
    """The ARM id that azureml:<name>, a bare name or an ARM id stands for."""
    if not text:
        raise found.error(
            ("compute",), "a batch deployment needs a compute: `compute: azureml:<name>`"
        )
    plain = text.removeprefix("azureml:").strip()
    if plain.lower().startswith("/subscriptions/"):
        return plain
    if workspace.find(f"computes/{plain}") is None:
        raise found.error(
            ("compute",),
            f"there is no compute {plain!r}; create it with `lazulite ml compute create -n {plain}"
            " --type AmlCompute --min-instances 0 --max-instances 2`",
        )
    return workspace.id(f"computes/{plain}")


def _document(arguments: Arguments) -> Document:
    found = assets.document(arguments, SHAPE, type=arguments.kind, **_options(arguments))
    if not found.values.get("name"):
        raise CommandError("InvalidArgument", "A compute needs a name: give --name or `name`.")
    return found


def _delete(workspace: Workspace, arguments: Arguments, action: str) -> None:
    path, waiting = f"computes/{arguments.name}", not arguments.no_wait
    operations.delete(workspace, path, waiting=waiting, underlyingResourceAction=action)


def _turn(workspace: Workspace, arguments: Arguments, action: str, doing: str) -> dict[str, Any]:
    path = f"computes/{arguments.name}"
    operations.act(workspace, path, action, doing, waiting=not arguments.no_wait)
    return show(workspace, arguments)


def _of_location(workspace: Workspace, arguments: Arguments, what: str) -> list[dict[str, Any]]:
    known = workspace.connection
    place = arguments.location or workspace.location()
    path = f"/subscriptions/{known.subscription_id}/providers/{PROVIDER}/locations/{place}/{what}"
    return list(workspace.call("GET", f"{known.url}{path}?api-version={VERSION}").value()["value"])


def _options(arguments: Arguments) -> dict[str, Any]:
    given = {
        "size": arguments.size or None,
        "min_instances": arguments.min_instances,
        "max_instances": arguments.max_instances,
        "idle_time_before_scale_down": arguments.idle_time,
        "tier": arguments.tier or None,
        "location": arguments.location or None,
        "resource_id": arguments.resource_id or None,
        "namespace": arguments.namespace or None,
        "idle_time_before_shutdown_minutes": arguments.idle_shutdown,
    }
    return {name: value for name, value in given.items() if value is not None}


def _put(workspace: Workspace, values: Mapping[str, Any], *, waiting: bool) -> dict[str, Any]:
    body = compute_bodies.to_body(values, values.get("location") or workspace.location())
    path = f"computes/{values['name']}"
    return view(operations.put(workspace, path, body, waiting=waiting, version=VERSION))
