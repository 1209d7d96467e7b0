"""Microsoft.Storage/storageAccounts: accounts of this server's blob gateway.

Only blobs are served: an account with a hierarchical namespace is refused. Properties that need
Azure's network are kept and have no effect. Source: spec/CLIENTS.md 12.2.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable, Sequence

from pydantic import ConfigDict

from lazulite.arm.kind import Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.managed_identity import with_identity
from lazulite.arm.reports import Asking, Report
from lazulite.blobs.accounts import (
    KEY_NAMES,
    account_keys,
    find_account,
    new_account_key,
    sealed_keys,
)
from lazulite.core.errors import ArmError
from lazulite.core.ids import STORAGE, WORKSPACES, fold, name_of
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource, Resources

NAME = re.compile(r"[a-z0-9]{3,24}")
RESERVED = frozenset(
    {
        *("subscriptions", "tenants", "providers", "healthz", "metadata", "discovery", "common"),
        *("adfs", "inference", "mlflow", "history", "execution", "modelmanagement", "artifact"),
        *("datastore", "hyperdrive", "metric", "data", "dataset", "content", "mferp", "graph"),
        *(
            "gallery",
            "modelregistry",
            "registrymanagement",
            "studio",
            "static",
            "api",
            "organizations",
        ),
    }
)
"""First segments of paths that are something else here."""
ListContainers = Callable[[str], Awaitable[Sequence[str]]]


class StorageAccount(Properties):
    """What a caller can say of an account."""

    model_config = ConfigDict(extra="allow")
    access_tier: str = "Hot"
    allow_blob_public_access: bool = False
    allow_shared_key_access: bool = True
    is_hns_enabled: bool = False
    minimum_tls_version: str = "TLS1_2"
    public_network_access: str = "Enabled"
    supports_https_traffic_only: bool = True


@dataclasses.dataclass(frozen=True)
class StorageAccounts:
    """Checks, keys and answers of accounts."""

    resources: Resources
    box: SecretBox
    containers: ListContainers
    """The names of an account's containers."""
    forget: Callable[[str], Awaitable[None]]
    """Forgets what a deleted account of the name had set for its Blob service."""
    tenant_id: str

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Refuse a taken name and what is not served; make the keys of a new account."""
        name = name_of(proposal.id)
        if proposal.properties["isHnsEnabled"]:
            raise ArmError(
                "FeatureNotSupported",
                "isHnsEnabled is true: this server has no hierarchical namespaces (Data Lake "
                "Storage Gen2). Leave it out.",
                target="isHnsEnabled",
            )
        await self._refuse_taken(name, proposal)
        if not proposal.existing:
            await self.forget(name)
        envelope = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, **proposal.envelope}
        keys = {} if proposal.existing else sealed_keys(self.box)
        ready = dataclasses.replace(proposal, envelope=envelope, secrets=keys)
        return with_identity(ready, self.tenant_id)

    async def may_delete(self, account: Resource) -> None:
        """Raise ArmError 409 while there are containers in it, or a workspace needs it."""
        inside = await self.containers(account.name)
        for workspace in await self.resources.of_type(WORKSPACES):
            own = workspace.properties.get("storageAccount") or ""
            if fold(own) == account.key or workspace.observed.get("account") == account.name:
                message = f"The workspace {workspace.id!r} keeps its data in {account.name!r}."
                raise ArmError("StorageAccountInUse", f"{message} Delete that first.", 409)
        if inside:
            names = ", ".join(inside)
            message = f"The account {account.name!r} has the containers {names}: delete them first."
            raise ArmError("StorageAccountInUse", message, 409)

    async def list_keys(self, call: Call) -> Answer:
        """Both keys."""
        _refuse_without_keys(call.resource)
        return Answer(body=_shown_keys(account_keys(self.box, call.resource)))

    async def regenerate_key(self, call: Call) -> Answer:
        """Replace one key; what was signed with it is refused from the next second on."""
        _refuse_without_keys(call.resource)
        name = str(call.body.get("keyname", "")).lower()
        if name not in KEY_NAMES:
            message = f"keyName is {call.body.get('keyname')!r}: it must be key1 or key2."
            raise ArmError("InvalidParameter", message, target="keyName")
        secret = self.box.seal(new_account_key().encode())
        account = await self.resources.reseal(call.resource.id, lambda _: {name: secret})
        return Answer(body=_shown_keys(account_keys(self.box, account)))

    async def _refuse_taken(self, name: str, proposal: Proposal) -> None:
        taken = await find_account(self.resources, name)
        if name not in RESERVED and (taken is None or taken.key == fold(proposal.id)):
            return
        raise ArmError("StorageAccountAlreadyTaken", _taken(name), 409, target="name")


def storage_account(accounts: StorageAccounts) -> Kind:
    """PUT makes an account whose blobs are served at once."""
    return Kind(
        resource_type="storageAccounts",
        provider=STORAGE,
        since="2015-05-01",
        name=NAME,
        properties=StorageAccount,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        created=200,
        prepare=accounts.prepare,
        may_delete=accounts.may_delete,
        show=_endpoints,
        actions={
            "listKeys": Action(perform=accounts.list_keys),
            "regenerateKey": Action(perform=accounts.regenerate_key),
        },
    )


def name_check(resources: Resources) -> Report:
    """What `az storage account create` asks first: whether a name can be had."""

    async def check(asking: Asking) -> Json:
        name = asking.body.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            rule = f"{name!r} is not a name of 3 to 24 lower-case letters and digits."
            return {"nameAvailable": False, "reason": "AccountNameInvalid", "message": rule}
        if name in RESERVED or await find_account(resources, name) is not None:
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": _taken(name)}
        return {"nameAvailable": True}

    return Report(
        path=("checkNameAvailability",),
        permission="checkNameAvailability/read",
        provider=STORAGE,
        perform=check,
        method="POST",
    )


def _taken(name: str) -> str:
    rule = "it is the first segment of URLs, and must be unique on this server. Choose another."
    return f"The storage account name {name!r} is taken: {rule}"


def _refuse_without_keys(account: Resource) -> None:
    if account.properties.get("allowSharedKeyAccess", True):
        return
    raise ArmError(
        "KeyBasedAuthenticationNotPermitted",
        f"The account {account.name!r} has allowSharedKeyAccess false: use a token for "
        "https://storage.azure.com.",
        403,
    )


def _shown_keys(keys: dict[str, str]) -> Json:
    return {
        "keys": [
            {"keyName": name, "value": value, "permissions": "FULL"} for name, value in keys.items()
        ]
    }


async def _endpoints(account: Resource, base: str) -> Json:
    """Path-style, so that no DNS is needed. Source: spec/CLIENTS.md 12.2."""
    return {
        "primaryEndpoints": {"blob": f"{base}/{account.name}/"},
        "primaryLocation": account.envelope.get("location"),
        "statusOfPrimary": "available",
        "creationTime": account.created_at.isoformat(),
    }
