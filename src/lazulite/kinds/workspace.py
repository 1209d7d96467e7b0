"""Workspaces: the folder that everything else is in. Source: spec/REST.md 7.1, CLIENTS.md 6.

A workspace comes with a storage account and the three datastores that clients look for by name.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from lazulite.arm.kind import Kind, Properties
from lazulite.arm.watching import WORKSPACE_WATCHING
from lazulite.core.ids import STORAGE, STORAGE_ACCOUNTS, WORKSPACES, segment_of
from lazulite.identity.sealing import SecretBox
from lazulite.operations.reconciler import Step
from lazulite.store.resources import Draft, Json, Resource, Resources

CONTAINERS = {
    "workspaceblobstore": "azureml-blobstore",
    "workspaceartifactstore": "azureml",
    "workspacefilestore": "azureml-filestore",
}
MakeContainer = Callable[[str, str], Awaitable[None]]


class Workspace(Properties):
    """What a caller can say of a workspace."""

    friendly_name: str | None = None
    description: str | None = None
    storage_account: str | None = None
    key_vault: str | None = None
    application_insights: str | None = None
    container_registry: str | None = None
    hbi_workspace: bool = False
    public_network_access: str = "Enabled"
    image_build_compute: str | None = None
    encryption: dict[str, Any] | None = None


def workspace(resources: Resources, box: SecretBox, make_container: MakeContainer) -> Kind:
    """make_container(account, container): makes it unless it is there."""

    async def reconcile(found: Resource) -> Step:
        """Bring about the storage account and its datastores; each is made once."""
        if found.deleting:
            return Step(observed=found.observed, converged=True)
        account = account_name(found)
        key = await _account_key(resources, box, found, account)
        for name, container in CONTAINERS.items():
            await make_container(account, container)
            await _datastore(resources, box, found, (name, account, container, key))
        return Step(observed={"account": account}, converged=True)

    return Kind(
        resource_type="workspaces",
        properties=Workspace,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        reconcile=reconcile,
        watching=WORKSPACE_WATCHING,
        show=_show,
    )


def account_name(found: Resource) -> str:
    """Lower-case letters and digits, at most 24: the name and ten digits of its uid."""
    stem = "".join(char for char in found.name.lower() if char.isalnum() and char.isascii())
    return f"{stem[:14]}{hashlib.sha256(found.uid.encode()).hexdigest()[:10]}"


def new_account_key() -> str:
    """512 random bits in base64, as Azure's account keys are."""
    return base64.b64encode(secrets.token_bytes(64)).decode()


async def _account_key(resources: Resources, box: SecretBox, found: Resource, account: str) -> str:
    """The storage account's key; the account is made if it is not there."""
    scope = found.id.partition("/providers/")[0]
    draft = Draft(
        resource_type=STORAGE_ACCOUNTS,
        id=f"{scope}/providers/{STORAGE}/storageAccounts/{account}",
        properties={},
        envelope={"location": found.envelope["location"], "tags": {}, "kind": "StorageV2"},
        secrets={"key1": box.seal(new_account_key().encode())},
        reconciled=False,
    )
    await resources.put(draft, found.created_by, only_new=True)
    row = await resources.find(draft.id)
    if row is None:
        raise RuntimeError(f"the storage account {draft.id} vanished while it was made")
    return box.open(row.secrets["key1"]).decode()


async def _datastore(
    resources: Resources, box: SecretBox, found: Resource, place: tuple[str, str, str, str]
) -> None:
    name, account, container, key = place
    draft = Draft(
        resource_type=f"{WORKSPACES}/datastores",
        id=f"{found.id}/datastores/{name}",
        properties={
            "datastoreType": "AzureFile" if name == "workspacefilestore" else "AzureBlob",
            "accountName": account,
            "containerName": container,
            "protocol": "https",
            "credentials": {"credentialsType": "AccountKey"},
            "serviceDataAccessAuthIdentity": "None",
            "tags": {},
            "properties": {},
        },
        secrets={"credential": box.seal(key.encode())},
        reconciled=False,
    )
    await resources.put(draft, found.created_by, only_new=True)


async def _show(found: Resource, base: str) -> Json:
    origin = base.partition("://")[2]
    subscription = segment_of(found.id, "subscriptions")
    scope = found.id.partition("/providers/")[0]
    made = {}
    if account := found.observed.get("account"):
        made["storageAccount"] = f"{scope}/providers/{STORAGE}/storageAccounts/{account}"
    return {
        **made,
        "workspaceId": found.uid,
        "discoveryUrl": f"{base}/discovery",
        "mlFlowTrackingUri": f"azureml://{origin}/mlflow/v1.0{found.id}",
        "studioEndpoint": f"{base}/?subscription={subscription}&workspace={found.name}",
        "provisioningState": found.provisioning_state,
    }
