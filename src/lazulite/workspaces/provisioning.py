"""Bringing a workspace about, and taking it down.

It comes with the three datastores that clients look for by name, on the storage account that it
names or, an extension, on one of its own. Source: spec/REST.md 11, spec/CLIENTS.md 6.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from lazulite.blobs.accounts import account_keys, sealed_keys
from lazulite.core.errors import ArmError, SpecError
from lazulite.core.ids import DATASTORES, STORAGE, STORAGE_ACCOUNTS, fold
from lazulite.identity.sealing import SecretBox
from lazulite.operations.reconciler import Step
from lazulite.store.resources import Draft, Json, Resource, Resources
from lazulite.workspaces.dependencies import refuse_absent

CONTAINERS = {
    "workspaceblobstore": "azureml-blobstore",
    "workspaceartifactstore": "azureml",
    "workspacefilestore": "azureml-filestore",
}
SOON = timedelta(milliseconds=50)
MakeContainer = Callable[[str, str], Awaitable[None]]


@dataclasses.dataclass(frozen=True)
class Provisioning:
    """Reconciles workspaces."""

    resources: Resources
    box: SecretBox
    make_container: MakeContainer
    """(account, container): makes it unless it is there."""
    furnish: Callable[[str], Awaitable[None]]
    """Makes the records that every workspace has, unless they are there."""

    async def reconcile(self, workspace: Resource) -> Step:
        """Check what it depends on, make what it comes with; each is made once.

        A deleted one is gone when everything in it is. Raises SpecError, ArmError.
        """
        if workspace.deleting:
            return await self._taken_down(workspace)
        await refuse_absent(self.resources, workspace.properties)
        account = await self._account(workspace)
        key = account_keys(self.box, account)["key1"]
        for name, container in CONTAINERS.items():
            await self.make_container(account.name, container)
            draft = self._datastore(workspace, account.name, (name, container))
            sealed = {"credential": self.box.seal(key.encode())}
            draft = dataclasses.replace(draft, secrets=sealed)
            await self.resources.put(draft, workspace.created_by, only_new=True)
        await self.furnish(workspace.id)
        return Step(observed={"account": account.name}, converged=True)

    async def resync_keys(self, workspace: Resource) -> None:
        """Give the workspace's datastores the present key of its account. Raises ArmError 409."""
        account = await self.resources.find(account_id(workspace) or "")
        if account is None:
            message = f"The workspace {workspace.name!r} has no storage account: look at its state."
            raise ArmError("Conflict", message, 409)
        key = account_keys(self.box, account)["key1"].encode()
        for store in await self.resources.children(workspace.id, DATASTORES):
            if store.properties.get("accountName") != account.name or store.name not in CONTAINERS:
                continue
            await self.resources.reseal(store.id, partial(self._with_key, key))

    def _with_key(self, key: bytes, secrets: Json) -> Json:
        return {"credential": self.box.resealed(key, secrets.get("credential"))}

    async def _taken_down(self, workspace: Resource) -> Step:
        rest = await self.resources.below(workspace.id)
        return Step(observed=workspace.observed, converged=not rest, after=SOON if rest else None)

    async def _account(self, workspace: Resource) -> Resource:
        """The account that it names, or its own, which is made if it is not there."""
        arm_id = workspace.properties.get("storageAccount") or own_account_id(workspace)
        if fold(arm_id) == fold(own_account_id(workspace)):
            await self._make_account(workspace, arm_id)
        found = await self.resources.find(arm_id)
        if found is None:
            raise SpecError("ResourceNotFound", f"The storage account {arm_id} was not found.")
        return found

    async def _make_account(self, workspace: Resource, arm_id: str) -> None:
        draft = Draft(
            resource_type=STORAGE_ACCOUNTS,
            id=arm_id,
            properties={},
            envelope={
                "location": workspace.envelope["location"],
                "tags": {},
                "kind": "StorageV2",
                "sku": {"name": "Standard_LRS"},
            },
            secrets=sealed_keys(self.box),
            reconciled=False,
        )
        await self.resources.put(draft, workspace.created_by, only_new=True)

    def _datastore(self, workspace: Resource, account: str, place: tuple[str, str]) -> Draft:
        name, container = place
        is_share = name == "workspacefilestore"
        properties: Json = {
            "datastoreType": "AzureFile" if is_share else "AzureBlob",
            "accountName": account,
            "fileShareName" if is_share else "containerName": container,
            "protocol": "https",
            "credentials": {"credentialsType": "AccountKey"},
            "serviceDataAccessAuthIdentity": "None",
            "tags": {},
            "properties": {},
        }
        arm_id = f"{workspace.id}/datastores/{name}"
        return Draft(
            resource_type=DATASTORES,
            id=arm_id,
            properties=properties,
            under=workspace.id,
            reconciled=False,
        )


def account_id(workspace: Resource) -> str | None:
    """The id of the workspace's storage account; None until there is one."""
    named: str | None = workspace.properties.get("storageAccount")
    if named:
        return named
    return own_account_id(workspace) if workspace.observed.get("account") else None


def own_account_id(workspace: Resource) -> str:
    """Of the account that a workspace without one gets.

    Lower-case letters and digits, at most 24: the workspace's name and ten digits of its uid.
    """
    stem = "".join(char for char in workspace.name.lower() if char.isalnum() and char.isascii())
    name = f"{stem[:14]}{hashlib.sha256(workspace.uid.encode()).hexdigest()[:10]}"
    scope = workspace.id.partition("/providers/")[0]
    return f"{scope}/providers/{STORAGE}/storageAccounts/{name}"
