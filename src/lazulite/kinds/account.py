"""What encloses workspaces: tenants, subscriptions, locations, resource groups, storage accounts.

On one machine the first four are few and made at the first start; only groups can be added.
Source: spec/REST.md 4, spec/CLIENTS.md 12.2.
"""

from __future__ import annotations

import re

from lazulite.arm.kind import READ_ONLY, Action, Answer, Call, Kind, Properties
from lazulite.core.errors import ArmError
from lazulite.core.ids import ML, RESOURCES, STORAGE
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource, Resources

SINCE = "2014-04-01"
"""These providers are older than Machine Learning, and clients ask for their old versions."""


class Plain(Properties):
    """No properties of its own."""


class StorageAccount(Properties):
    """An account whose blobs the gateway serves."""


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
        inside = await resources.of_type(f"{ML}/workspaces", under=group.id)
        if inside:
            names = ", ".join(item.name for item in inside)
            message = f"The group {group.name!r} holds the workspaces {names}: delete them first."
            raise ArmError("Conflict", message, 409)

    return Kind(
        resource_type="subscriptions/resourceGroups",
        provider=RESOURCES,
        since=SINCE,
        properties=Plain,
        name=re.compile(r"[-\w._()]{0,89}[-\w_()]"),
        envelope=frozenset({"location", "tags"}),
        may_delete=may_delete,
        shape=_group,
    )


def subscription(tenant_id: str) -> Kind:
    """subscriptions: all belong to the server's one tenant."""

    def shape(row: Resource) -> Json:
        return {**_subscription(row), "tenantId": tenant_id}

    return Kind(
        resource_type="subscriptions",
        provider=RESOURCES,
        since=SINCE,
        properties=Plain,
        verbs=READ_ONLY,
        shape=shape,
    )


def storage_account(box: SecretBox) -> Kind:
    """Microsoft.Storage/storageAccounts: read, and listKeys."""

    async def list_keys(call: Call) -> Answer:
        key = box.open(call.resource.secrets["key1"]).decode()
        return Answer(body={"keys": [{"keyName": "key1", "value": key, "permissions": "FULL"}]})

    return Kind(
        resource_type="storageAccounts",
        provider=STORAGE,
        since=SINCE,
        properties=StorageAccount,
        envelope=frozenset({"location", "tags", "kind", "sku"}),
        show=_endpoints,
        actions={"listKeys": Action(perform=list_keys)},
        verbs=READ_ONLY,
    )


async def _endpoints(account: Resource, base: str) -> Json:
    """Path-style, so that no DNS is needed. Source: spec/CLIENTS.md 12.2."""
    return {"primaryEndpoints": {"blob": f"{base}/{account.name}/"}}
