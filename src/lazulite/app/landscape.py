"""What the first start creates besides identity: tenant, subscription, group and workspace."""

from __future__ import annotations

from typing import Any

from lazulite.core.ids import ML, RESOURCES
from lazulite.identity.bootstrap import Installation
from lazulite.store.resources import Draft, Resources

LOCATION, RESOURCE_GROUP, WORKSPACE = "local", "local", "main"
ACTOR = "lazulite"


async def ensure_landscape(resources: Resources, installed: Installation) -> str:
    """The id of the first workspace; what is missing is made, what was deleted stays deleted."""
    subscription = f"/subscriptions/{installed.subscription_id}"
    group = f"{subscription}/resourceGroups/{RESOURCE_GROUP}"
    workspace = f"{group}/providers/{ML}/workspaces/{WORKSPACE}"
    if await resources.find(subscription) is not None:
        return workspace
    placed = {"location": LOCATION, "tags": {}}
    await _make(resources, f"{RESOURCES}/tenants", f"/tenants/{installed.tenant_id}")
    await _make(
        resources, f"{RESOURCES}/subscriptions/locations", f"{subscription}/locations/{LOCATION}"
    )
    await _make(resources, f"{RESOURCES}/subscriptions/resourceGroups", group, placed)
    await _make(resources, f"{ML}/workspaces", workspace, placed, reconciled=True)
    # Last: its presence says that all the rest was made.
    await _make(resources, f"{RESOURCES}/subscriptions", subscription)
    return workspace


async def _make(
    resources: Resources,
    resource_type: str,
    arm_id: str,
    envelope: dict[str, Any] | None = None,
    *,
    reconciled: bool = False,
) -> None:
    draft = Draft(
        resource_type=resource_type,
        id=arm_id,
        properties={},
        envelope=envelope or {},
        reconciled=reconciled,
    )
    await resources.put(draft, ACTOR, only_new=True)
