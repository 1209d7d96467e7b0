"""What encloses workspaces: tenants, subscriptions, locations, resource groups.

On one machine they are few and made at the first start; only groups can be added.
Source: spec/REST.md 4, spec/CLIENTS.md 12.2.
"""

from __future__ import annotations

import re

from lazulite.arm.kind import READ_ONLY, Kind, Properties
from lazulite.arm.listing import Listing, by_tag
from lazulite.core.errors import ArmError
from lazulite.core.ids import RESOURCES
from lazulite.store.resources import Json, Resource, Resources

SINCE = "2014-04-01"
"""These providers are older than Machine Learning, and clients ask for their old versions."""


class Plain(Properties):
    """No properties of its own."""


def _tenant(row: Resource) -> Json:
    return {"id": row.id, "tenantId": row.name, "displayName": "Lazulite", "tenantCategory": "Home"}


def _subscription(row: Resource) -> Json:
    return {
        "id": row.id,
        "subscriptionId": row.name,
        "displayName": "Lazulite",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Internal_2014-09-01",
            "quotaId": "Internal_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    }


def _location(row: Resource) -> Json:
    name = {"name": row.name, "displayName": row.name, "regionalDisplayName": row.name}
    return {"id": row.id, **name, "metadata": {"regionType": "Physical", "regionCategory": "Other"}}


def _group(row: Resource) -> Json:
    """Azure names the type without what it stands under."""
    return {
        "id": row.id,
        "name": row.name,
        "type": f"{RESOURCES}/resourceGroups",
        "location": row.envelope.get("location"),
        "tags": row.envelope.get("tags") or {},
        "properties": {"provisioningState": row.provisioning_state},
    }


TENANT = Kind(
    resource_type="tenants",
    provider=RESOURCES,
    since=SINCE,
    properties=Plain,
    verbs=READ_ONLY,
    shape=_tenant,
)
LOCATION = Kind(
    resource_type="subscriptions/locations",
    provider=RESOURCES,
    since=SINCE,
    properties=Plain,
    verbs=READ_ONLY,
    shape=_location,
)


def resource_group(resources: Resources) -> Kind:
    """subscriptions/resourceGroups: an empty one can be deleted."""

    async def may_delete(group: Resource) -> None:
        inside = [item for item in await resources.below(group.id) if _is_top(item, group)]
        if inside:
            names = ", ".join(f"{item.resource_type} {item.name!r}" for item in inside)
            message = f"The group {group.name!r} holds {names}: delete them first."
            raise ArmError("Conflict", message, 409)

    return Kind(
        resource_type="subscriptions/resourceGroups",
        provider=RESOURCES,
        lists_own=True,
        since=SINCE,
        properties=Plain,
        name=re.compile(r"[-\w._()]{0,89}[-\w_()]"),
        envelope=frozenset({"location", "tags"}),
        may_delete=may_delete,
        listing=Listing(filters={"$filter": by_tag}),
        shape=_group,
    )


def subscription(tenant_id: str) -> Kind:
    """subscriptions: all belong to the server's one tenant."""

    def shape(row: Resource) -> Json:
        return {**_subscription(row), "tenantId": tenant_id}

    return Kind(
        resource_type="subscriptions",
        provider=RESOURCES,
        seen_from_inside=True,
        since=SINCE,
        properties=Plain,
        verbs=READ_ONLY,
        shape=shape,
    )


def _is_top(item: Resource, group: Resource) -> bool:
    return item.parent == group.key
