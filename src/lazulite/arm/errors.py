"""Azure's words for what is not there or not possible. Source: spec/REST.md 2.5."""

from __future__ import annotations

from collections.abc import Sequence

from lazulite.arm.kind import Kind, Registry
from lazulite.arm.unavailable import refusal
from lazulite.core.errors import ArmError
from lazulite.core.ids import RESOURCES, Address, name_of


def unknown_type(registry: Registry, address: Address) -> ArmError:
    """No kind has that type: 501 if Azure has it, 404 otherwise."""
    if (known := refusal(address)) is not None:
        return known
    if not registry.has_provider(address.provider):
        message = f"The resource namespace {address.provider!r} is invalid."
        return ArmError("InvalidResourceNamespace", message, 404)
    return ArmError(
        "InvalidResourceType",
        f"The resource type {address.resource_type!r} could not be found in the namespace "
        f"{address.provider!r}.",
        404,
    )


def not_found(full_type: str, arm_id: str) -> ArmError:
    """The resource itself is absent."""
    if full_type == f"{RESOURCES}/subscriptions":
        message = f"The subscription {name_of(arm_id)!r} could not be found."
        return ArmError("SubscriptionNotFound", message, 404)
    if full_type == f"{RESOURCES}/subscriptions/resourceGroups":
        message = f"Resource group {name_of(arm_id)!r} could not be found."
        return ArmError("ResourceGroupNotFound", message, 404)
    message = f"The Resource '{full_type}/{name_of(arm_id)}' was not found: {arm_id}"
    return ArmError("ResourceNotFound", message, 404)


def missing_parent(kind: Kind, above: Address, action: str) -> ArmError:
    """What should enclose the resource is absent."""
    if kind.provider == RESOURCES or not action.endswith("write"):
        return not_found(kind.full_type, above.id)
    full_type, _, verb = action.rpartition("/")
    return ArmError(
        "ParentResourceNotFound",
        f"Failed to perform {verb!r} on resource(s) of type {full_type!r}, because the parent "
        f"resource {above.id!r} could not be found.",
        404,
    )


def not_allowed(method: str, what: str, known: Sequence[str]) -> ArmError:
    """The method does not exist there."""
    message = f"The http method {method!r} is not supported for {what!r}: use {', '.join(known)}."
    return ArmError("MethodNotAllowed", message, 405, headers={"Allow": ", ".join(known)})
