"""Datastores: named places in a storage account. Source: spec/REST.md 7.3, spec/CLIENTS.md 6."""

from __future__ import annotations

import dataclasses
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from lazulite.arm.kind import Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.listing import Listing, by_names, in_name
from lazulite.core.errors import ArmError
from lazulite.core.ids import name_of
from lazulite.identity.sealing import SecretBox
from lazulite.store.pages import ROW
from lazulite.store.resources import Json, Resource

DEFAULT = "workspaceblobstore"
MARKED = sa.func.coalesce(ROW.properties["isDefault"].as_boolean(), ROW.name == DEFAULT)
LISTING = Listing(
    filters={
        "isdefault": lambda text: sa.literal(text.lower() == "true") == MARKED,
        "names": by_names,
        "searchtext": in_name,
    },
    size=30,
)
SERVED = {"AzureBlob", "AzureFile"}


class Datastore(Properties):
    """A container or share, and how to get in."""

    datastore_type: str = "AzureBlob"
    account_name: str
    container_name: str = ""
    file_share_name: str | None = None
    endpoint: str | None = None
    protocol: str = "https"
    credentials: dict[str, Any] = Field(default_factory=lambda: {"credentialsType": "None"})
    service_data_access_auth_identity: str = "None"
    description: str | None = None
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)


def datastore(box: SecretBox, storage_suffix: str, https_base: str) -> Kind:
    """workspaces/datastores: a record; its credential is sealed, and shown by listSecrets only.

    https_base: the origin that blob clients of callers over plain HTTP are sent to.
    """

    async def prepare(proposal: Proposal) -> Proposal:
        return _sealed(proposal, box)

    async def show(resource: Resource, base: str) -> Json:
        """The account name carries the origin, so that clients need no DNS (CLIENTS.md 4)."""
        origin = (base if base.startswith("https:") else https_base).partition("://")[2]
        account = resource.properties["accountName"]
        return {
            "isDefault": resource.properties.get("isDefault", resource.name == DEFAULT),
            "accountName": f"{origin}/{account}",
            "endpoint": resource.properties.get("endpoint") or storage_suffix,
        }

    async def list_secrets(call: Call) -> Answer:
        return Answer(body=_secrets(call.resource, box))

    return Kind(
        resource_type="workspaces/datastores",
        properties=Datastore,
        prepare=prepare,
        show=show,
        has_state=False,
        listing=LISTING,
        actions={"listSecrets": Action(perform=list_secrets)},
    )


def _sealed(proposal: Proposal, box: SecretBox) -> Proposal:
    """Move the credential out of the properties."""
    properties = dict(proposal.properties)
    if properties["datastoreType"] not in SERVED:
        raise ArmError(
            "DatastoreTypeNotSupported",
            f"Datastores of type {properties['datastoreType']!r} are not served here: use one of "
            f"{', '.join(sorted(SERVED))}.",
            target="datastoreType",
        )
    properties["accountName"] = name_of(properties["accountName"])
    if proposal.existing and "isDefault" in proposal.existing.properties:
        properties["isDefault"] = proposal.existing.properties["isDefault"]
    given = dict(properties["credentials"])
    secret = given.pop("secrets", None) or {}
    properties["credentials"] = given
    value = secret.get("key") or secret.get("sasToken")
    sealed = {"credential": box.seal(value.encode())} if value else {}
    return dataclasses.replace(proposal, properties=properties, secrets=sealed)


def _secrets(resource: Resource, box: SecretBox) -> Json:
    if "credential" not in resource.secrets:
        message = (
            f"The datastore {resource.name!r} has no credential: it uses the caller's identity."
        )
        raise ArmError("NoCredentials", message, 400)
    value = box.open(resource.secrets["credential"]).decode()
    if resource.properties["credentials"].get("credentialsType") == "Sas":
        return {"secretsType": "Sas", "sasToken": value}
    return {"secretsType": "AccountKey", "key": value}
