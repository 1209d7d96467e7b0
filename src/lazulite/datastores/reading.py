"""From a path in a datastore to where its bytes are, and to the signature that opens them."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from datetime import timedelta
from pathlib import Path

from lazulite.blobs.accounts import find_account
from lazulite.blobs.references import BlobPath, ForeignBlobPath
from lazulite.blobs.signatures import Grant, sign_container
from lazulite.core.errors import SpecError
from lazulite.datastores.credentials import SEALED
from lazulite.datastores.folders import LocalFolders
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Resource, Resources

SERVED = frozenset({"AzureBlob", "AzureFile"})
SIGNED_FOR = timedelta(days=1)
AZURE = "core.windows.net"


@dataclasses.dataclass(frozen=True)
class LocalPath:
    """A file or folder of this machine, outside the blob store."""

    path: Path


@dataclasses.dataclass(frozen=True)
class Readers:
    """Finds what datastores name."""

    resources: Resources
    box: SecretBox
    folders: LocalFolders

    async def place(self, store: Resource, path: str) -> BlobPath | ForeignBlobPath | LocalPath:
        """Where a path in the datastore is; the signature says what its credential opens.

        Raises SpecError for a type or a credential with which this server cannot read.
        """
        kind = store.properties["datastoreType"]
        if kind == "LocalFolder":
            return LocalPath(self.folders.inside(store.properties["folder"], path))
        if kind not in SERVED:
            raise _unread(store, f"is of type {kind}")
        account, container = _named(store)
        if found := await find_account(self.resources, account):
            return BlobPath(found.name, container, path, self._signature(store))
        if kind == "AzureFile":
            raise _unread(store, f"is a share of {account!r}, an account of another server")
        if _credential(store) not in {"AccountKey", "Sas", "None"}:
            raise _unread(store, "signs in with an application, and not with a key or SAS")
        endpoint = store.properties.get("endpoint") or AZURE
        protocol = store.properties.get("protocol") or "https"
        url = f"{protocol}://{account}.blob.{endpoint}/{container}"
        return ForeignBlobPath(url, path, self._signature(store))

    def _signature(self, store: Resource) -> str:
        """A SAS that may read and list, of the stored key or SAS; "" without them."""
        kind = _credential(store)
        if kind not in {"AccountKey", "Sas"} or SEALED not in store.secrets:
            return ""
        secret = self.box.open(store.secrets[SEALED]).decode()
        if kind == "Sas":
            return secret.lstrip("?")
        account, container = _named(store)
        try:
            key = base64.b64decode(secret, validate=True)
        except binascii.Error as error:
            raise _unread(store, "has a key that is no base64") from error
        expiry = self.resources.clock() + SIGNED_FOR
        return sign_container(account, key, Grant("rl", expiry), container)


def _named(store: Resource) -> tuple[str, str]:
    """Account and container."""
    properties = store.properties
    return (
        str(properties["accountName"]),
        str(properties.get("containerName") or properties.get("fileShareName")),
    )


def _credential(store: Resource) -> str:
    """The credential's type."""
    return str((store.properties.get("credentials") or {}).get("credentialsType", "None"))


def _unread(store: Resource, why: str) -> SpecError:
    return SpecError(
        "DataNotReachable",
        f"The datastore {store.name!r} {why}: it is kept as a record, its data are not read here. "
        "Copy them to an AzureBlob datastore with a key or SAS.",
    )
