"""What the first start creates besides identity: tenant, subscription, group and workspace."""

from __future__ import annotations

from typing import Any

from lazulite.arm.kind import model_dump
from lazulite.arm.managed_identity import identity_of
from lazulite.core.ids import RESOURCES, WORKSPACES, fold
from lazulite.identity.bootstrap import Installation
from lazulite.kinds.environment import curated_drafts
from lazulite.store.resources import Draft, Resources
from lazulite.workspaces.properties import DEFAULTS, Workspace

LOCATION, RESOURCE_GROUP, WORKSPACE = "local", "local", "main"
ACTOR = "lazulite"


async def ensure_landscape(resources: Resources, installed: Installation) -> str:
    """The id of the first workspace; what is missing is made, what was deleted stays deleted."""
    subscription = f"/subscriptions/{installed.subscription_id}"
    group = f"{subscription}/resourceGroups/{RESOURCE_GROUP}"
    workspace = f"{group}/providers/{WORKSPACES}/{WORKSPACE}"
    if await resources.find(subscription) is not None:
        return workspace
    placed = {"location": LOCATION, "tags": {}}
    await _make(resources, f"{RESOURCES}/tenants", f"/tenants/{installed.tenant_id}")
    await _make(
        resources, f"{RESOURCES}/subscriptions/locations", f"{subscription}/locations/{LOCATION}"
    )
    await _make(resources, f"{RESOURCES}/subscriptions/resourceGroups", group, placed)
    await _make_workspace(resources, workspace, installed.tenant_id)
    # Last: its presence says that all the rest was made.
    await _make(resources, f"{RESOURCES}/subscriptions", subscription)
    return workspace


async def furnish(resources: Resources, workspace: str) -> None:
    """Give a workspace the curated environments that it lacks; those of older servers, too."""
    drafts = curated_drafts(workspace)
    there = await resources.find_all([draft.id for draft in drafts])
    if missing := [draft for draft in drafts if fold(draft.id) not in there]:
        await resources.add(missing, ACTOR)


async def furnish_all(resources: Resources) -> None:
    """The same for all workspaces: an earlier version of the server may have made them."""
    for workspace in await resources.of_type(WORKSPACES):
        if not workspace.deleting:
            await furnish(resources, workspace.id)


async def _make_workspace(resources: Resources, arm_id: str, tenant_id: str) -> None:
    identity = identity_of(DEFAULTS["identity"], arm_id, tenant_id)
    draft = Draft(
        resource_type=WORKSPACES,
        id=arm_id,
        properties=model_dump(Workspace()),
        envelope={**DEFAULTS, "location": LOCATION, "tags": {}, "identity": identity},
    )
    await resources.put(draft, ACTOR, only_new=True)


async def _make(
    resources: Resources,
    resource_type: str,
    arm_id: str,
    envelope: dict[str, Any] | None = None,
) -> None:
    draft = Draft(
        resource_type=resource_type,
        id=arm_id,
        properties={},
        envelope=envelope or {},
        reconciled=False,
    )
    await resources.put(draft, ACTOR, only_new=True)
