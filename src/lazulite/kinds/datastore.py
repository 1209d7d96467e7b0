"""Datastores: named places for data. Source: spec/REST.md 7.3, spec/CLIENTS.md 6.

Containers of this server's accounts and allowed folders of its machine are read in place,
containers of other accounts are fetched; anything else is a record.
"""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from lazulite.arm.kind import Action, Answer, Call, Kind, Proposal, said
from lazulite.arm.listing import Listing, by_names, in_name
from lazulite.blobs.accounts import account_keys, find_account
from lazulite.core.errors import ArmError
from lazulite.core.ids import name_of, workspace_of
from lazulite.datastores.credentials import SEALED, revealed, taken_apart
from lazulite.datastores.default import SINCE, chosen, default_of, is_default
from lazulite.datastores.folders import FolderNotAllowedError, LocalFolders
from lazulite.datastores.properties import AnyDatastore
from lazulite.datastores.reading import SERVED
from lazulite.datastores.wire import DATASTORE_WIRE
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource, Resources

LISTING = Listing(
    filters={
        "isdefault": lambda text: sa.literal(text.lower() == "true") == is_default(),
        "names": by_names,
        "searchtext": in_name,
    },
    size=30,
)


@dataclasses.dataclass(frozen=True)
class Datastores:
    """What datastores are checked and shown with."""

    resources: Resources
    box: SecretBox
    storage_suffix: str
    https_base: str
    """The origin that blob clients of callers over plain HTTP are sent to."""
    folders: LocalFolders

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Seal the secret; check what is this server's own; move the default if asked to."""
        properties = dict(proposal.properties)
        if "accountName" in properties:
            properties["accountName"] = name_of(properties["accountName"])
        if "folder" in properties:
            self._check_folder(properties["folder"])
        properties["credentials"], secret = taken_apart(properties["credentials"])
        if proposal.query.get("skipvalidation", "").lower() != "true":
            await self._validate(properties, secret)
        held = proposal.existing
        secrets = {}
        if secret is not None:
            before = held.secrets.get(SEALED) if held else None
            secrets[SEALED] = self.box.resealed(secret.encode(), before)
        else:
            _refuse_without_secret(properties, held)
        return dataclasses.replace(
            proposal, properties=properties, envelope=self._envelope(proposal), secrets=secrets
        )

    async def may_delete(self, store: Resource) -> None:
        """Raise ArmError 409 for the default."""
        default = await default_of(self.resources, workspace_of(store.id))
        if default is not None and default.key == store.key:
            raise ArmError(
                "Conflict",
                f"{store.name!r} is the default datastore of its workspace: make another one the "
                "default, then delete it.",
                409,
            )

    async def show(self, store: Resource, base: str) -> Json:
        """The account name carries the origin, so that clients need no DNS (CLIENTS.md 4)."""
        default = await default_of(self.resources, workspace_of(store.id))
        shown: Json = {"isDefault": default is not None and default.key == store.key}
        account = store.properties.get("accountName")
        is_own = account and await find_account(self.resources, account) is not None
        if is_own:
            origin = (base if base.startswith("https:") else self.https_base).partition("://")[2]
            shown["accountName"] = f"{origin}/{account}"
            shown["endpoint"] = store.properties.get("endpoint") or self.storage_suffix
        is_here = is_own or "folder" in store.properties
        return {**shown, "hasBeenValidated": bool(is_here)}

    async def list_secrets(self, call: Call) -> Answer:
        """The secret itself, also when one that expires is asked for.

        azure-ai-ml signs with what it gets, which takes a key. Source: spec/CLIENTS.md 10.3.
        """
        return Answer(body=revealed(call.resource, self.box))

    async def _validate(self, properties: Json, secret: str | None) -> None:
        """Raise ArmError 400 for a wrong key. Of accounts elsewhere nothing can be said."""
        account = await find_account(self.resources, properties.get("accountName", ""))
        if account is None or properties["datastoreType"] not in SERVED:
            return
        kind = properties["credentials"]["credentialsType"]
        keys = account_keys(self.box, account).values()
        if kind == "AccountKey" and secret is not None and secret not in keys:
            raise ArmError(
                "InvalidCredentials",
                f"The key is not one of the storage account {account.name!r}: take one of its "
                "listKeys, or send skipValidation=true.",
                target="credentials.secrets.key",
            )

    def _check_folder(self, folder: str) -> None:
        """Raise ArmError 403 for a folder that is not allowed, also with skipValidation."""
        try:
            self.folders.check(folder)
        except FolderNotAllowedError as error:
            raise ArmError(error.code, error.message, 403, target=error.target) from error

    def _envelope(self, proposal: Proposal) -> Json:
        held = proposal.existing.envelope if proposal.existing else {}
        kept = {SINCE: held[SINCE]} if SINCE in held else {}
        asked = said(proposal.given, "isDefault")
        return chosen(kept, self.resources) if asked is True else kept


def datastore(datastores: Datastores) -> Kind:
    """workspaces/datastores: records; which one is the default is said in 2021-03-01-preview."""
    return Kind(
        resource_type="workspaces/datastores",
        properties=AnyDatastore,
        wire=DATASTORE_WIRE,
        prepare=datastores.prepare,
        may_delete=datastores.may_delete,
        show=datastores.show,
        has_state=False,
        listing=LISTING,
        actions={"listSecrets": Action(perform=datastores.list_secrets)},
    )


def _refuse_without_secret(properties: Json, held: Resource | None) -> None:
    """Raise ArmError 400 if credentials need a secret that was neither given nor is there."""
    kind = properties["credentials"]["credentialsType"]
    before = held.properties["credentials"]["credentialsType"] if held else None
    if kind == "None" or (kind == before and held is not None and SEALED in held.secrets):
        return
    raise ArmError(
        "ValidationError",
        f"credentials are of type {kind} and have no secrets: give them, or use credentialsType "
        "None.",
        target="credentials.secrets",
    )
