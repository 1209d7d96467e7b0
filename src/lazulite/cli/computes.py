"""`ml compute`: clusters that batch jobs run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import apply
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import ANYTHING, INTEGER, NUMBER, TEXT, TEXTS, Shape, checked
from lazulite.cli.wire import duration, envelope, seconds, snake_keys
from lazulite.cli.workspace import Workspace

SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "type": frozenset({"amlcompute"}),
    "description": TEXT,
    "tags": TEXTS,
    "location": TEXT,
    "size": TEXT,
    "tier": frozenset({"dedicated", "low_priority"}),
    "min_instances": INTEGER,
    "max_instances": INTEGER,
    "idle_time_before_scale_down": NUMBER,
    "identity": ANYTHING,
    "network_settings": ANYTHING,
    "ssh_settings": ANYTHING,
    "ssh_public_access_enabled": ANYTHING,
}
_TIERS = {"dedicated": "Dedicated", "low_priority": "LowPriority"}
_DEFAULT_SIZE = "Standard_DS3_v2"


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the cluster, or replace it."""
    found = assets.document(arguments, SHAPE, type=arguments.kind, **_options(arguments))
    values = found.values
    if not values.get("name"):
        raise CommandError("InvalidArgument", "A compute needs a name: give --name or `name`.")
    return _put(workspace, values, waiting=not arguments.no_wait)


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change the size of the cluster."""
    current = show(workspace, arguments)
    kept = {name: value for name, value in current.items() if name in SHAPE}
    changed = apply({**kept, **_options(arguments)}, arguments.set_values)
    values = checked(Document(changed), SHAPE).values
    return _put(workspace, values, waiting=not arguments.no_wait)


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One compute."""
    return view(workspace.get(f"computes/{arguments.name}"))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All computes, or those of one type."""
    found = [view(item) for item in workspace.list("computes")]
    wanted = arguments.kind.lower()
    kept = [item for item in found if not wanted or item.get("type") == wanted]
    return kept[: arguments.max_results]


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the compute."""
    path, waiting = f"computes/{arguments.name}", not arguments.no_wait
    operations.delete(workspace, path, waiting=waiting, underlyingResourceAction="Delete")


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


def to_body(values: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The body of a PUT. The idle time is in seconds in YAML, 120 by default as in Azure."""
    idle = values.get("idle_time_before_scale_down")
    least, most = values.get("min_instances") or 0, values.get("max_instances")
    return {
        "location": location,
        "tags": values.get("tags") or {},
        "properties": {
            "computeType": "AmlCompute",
            "description": values.get("description"),
            "properties": {
                "vmSize": values.get("size") or _DEFAULT_SIZE,
                "vmPriority": _TIERS[values.get("tier") or "dedicated"],
                "osType": "Linux",
                "scaleSettings": {
                    "minNodeCount": least,
                    "maxNodeCount": max(least, 1) if most is None else most,
                    "nodeIdleTimeBeforeScaleDown": duration(120 if idle is None else idle),
                },
            },
        },
    }


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A compute as az prints it: the inverse of to_body."""
    properties = resource.get("properties") or {}
    inner = properties.get("properties") or {}
    scale = inner.get("scaleSettings") or {}
    idle = scale.get("nodeIdleTimeBeforeScaleDown")
    tier = str(inner.get("vmPriority") or "").lower()
    shown = {
        **envelope(resource),
        "type": str(properties.get("computeType") or "").lower() or None,
        "description": properties.get("description"),
        "size": inner.get("vmSize"),
        "tier": {"dedicated": "dedicated", "lowpriority": "low_priority"}.get(tier),
        "min_instances": scale.get("minNodeCount"),
        "max_instances": scale.get("maxNodeCount"),
        "idle_time_before_scale_down": seconds(idle) if isinstance(idle, str) else idle,
        "current_node_count": inner.get("currentNodeCount"),
        "target_node_count": inner.get("targetNodeCount"),
        "node_state_counts": snake_keys(inner.get("nodeStateCounts")),
        "allocation_state": inner.get("allocationState"),
        "provisioning_state": properties.get("provisioningState"),
        "provisioning_errors": properties.get("provisioningErrors") or None,
    }
    return {key: value for key, value in shown.items() if value is not None}


def _options(arguments: Arguments) -> dict[str, Any]:
    given = {
        "size": arguments.size or None,
        "min_instances": arguments.min_instances,
        "max_instances": arguments.max_instances,
        "idle_time_before_scale_down": arguments.idle_time,
    }
    return {name: value for name, value in given.items() if value is not None}


def _put(workspace: Workspace, values: Mapping[str, Any], *, waiting: bool) -> dict[str, Any]:
    body = to_body(values, values.get("location") or workspace.location())
    return view(operations.put(workspace, f"computes/{values['name']}", body, waiting=waiting))
