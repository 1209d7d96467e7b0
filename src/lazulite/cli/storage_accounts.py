"""`storage account`: accounts of the server, over ARM, and what a client needs to connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from lazulite.cli.storage_access import Storage
from lazulite.cli.storage_arguments import StorageArguments


def listing(storage: Storage, _: StorageArguments) -> list[dict[str, Any]]:
    """The accounts of the resource group."""
    return [_view(one) for one in storage.accounts()]


def show(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """One account; the only one if none is named."""
    return _view(storage.resource(arguments.account))


def keys(storage: Storage, arguments: StorageArguments) -> list[dict[str, Any]]:
    """The keys of an account."""
    return storage.keys(storage.resource(arguments.account))


def renew_key(storage: Storage, arguments: StorageArguments) -> list[dict[str, Any]]:
    """Both keys, of which one is new. A second call makes yet another one."""
    names = {"primary": "key1", "secondary": "key2"}
    key = names.get(arguments.key, arguments.key)
    return storage.renewed_key(storage.resource(arguments.account), key)


def connection_string(storage: Storage, arguments: StorageArguments) -> dict[str, str]:
    """What AZURE_STORAGE_CONNECTION_STRING is set to."""
    account = storage.resource(arguments.account)
    endpoint = account["properties"]["primaryEndpoints"]["blob"]
    said = {
        "DefaultEndpointsProtocol": urlsplit(endpoint).scheme,
        "AccountName": account["name"],
        "AccountKey": storage.keys(account)[0]["value"],
        "BlobEndpoint": endpoint,
    }
    return {"connectionString": ";".join(f"{name}={value}" for name, value in said.items())}


def _view(account: Mapping[str, Any]) -> dict[str, Any]:
    """As az prints it: properties beside the envelope."""
    plain = {name: value for name, value in account.items() if name != "properties"}
    group = str(account["id"]).split("/")[4]
    return {**plain, **account.get("properties", {}), "resourceGroup": group}
