"""Paths of kinds, and what they and their parameters are called in the document."""

from __future__ import annotations

from lazulite.arm.kind import Kind
from lazulite.core.ids import ML, RESOURCES

SUBSCRIPTION = "/subscriptions/{subscriptionId}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{resourceGroupName}}"
WORKSPACE = f"{GROUP}/providers/{ML}/workspaces/{{workspaceName}}"
ODD = {
    "data": "name",
    "subscriptions": "subscriptionId",
    "tenants": "tenantId",
    "versions": "version",
}


def title_of(kind: Kind) -> str:
    """Such as "OnlineEndpointsDeployments"; its operations and components begin with it."""
    parts = _types(kind)
    inner = parts[1:] if parts[0] in {"workspaces", "subscriptions"} and parts[1:] else parts
    own = [] if kind.provider in {ML, RESOURCES} else [kind.provider.rpartition(".")[2]]
    return "".join(part[0].upper() + part[1:] for part in (*own, *inner))


def parameter_of(kind: Kind) -> str:
    """What the name of a resource of the kind is called in paths."""
    return _parameter(_types(kind)[-1])


def item_of(kind: Kind) -> str:
    """The path of one resource of the kind."""
    parts = _types(kind)
    path = "".join(f"/{part}/{{{_parameter(part)}}}" for part in parts)
    return path if kind.provider == RESOURCES else f"{GROUP}/providers/{kind.provider}{path}"


def collections_of(kind: Kind) -> list[str]:
    """Where resources of the kind are listed; top-level types also in a whole subscription."""
    path = item_of(kind).rpartition("/")[0]
    if kind.provider == RESOURCES or len(_types(kind)) > 1:
        return [path]
    return [path, path.replace(GROUP, SUBSCRIPTION)]


def _types(kind: Kind) -> list[str]:
    return (kind.called or kind.resource_type).split("/")


def _parameter(part: str) -> str:
    return ODD.get(part, f"{part.removesuffix('s')}Name")
