"""Datastores as datastore/v1.0 writes them, and from and to the properties of ARM.

Source: spec/REST.md 9.6 and 7.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from lazulite.arm.kind import Properties
from lazulite.core.errors import ArmError
from lazulite.core.ids import segment_of
from lazulite.dataplane.refusals import not_implemented
from lazulite.store.resources import Json, Resource

TYPES = {
    "AzureBlob": "AzureBlob",
    "AzureFile": "AzureFile",
    "AzureDataLake": "AzureDataLakeGen1",
    "AzureDataLakeGen2": "AzureDataLakeGen2",
}
"""Of this service to those of ARM."""
OLDER = {theirs: ours for ours, theirs in TYPES.items()}
CONTAINERS = {
    "AzureBlob": "containerName",
    "AzureFile": "fileShareName",
    "AzureDataLakeGen2": "filesystem",
}
"""What ARM calls the container of each type."""
CREDENTIALS = {"ServicePrincipal": "ClientCredentials"}


class ClientCredentials(Properties):
    """A service principal that may read and write there."""

    client_id: str | None = None
    tenant_id: str | None = None
    client_secret: str | None = None
    authority_url: str | None = None
    resource_uri: str | None = None


class AzureStorage(Properties):
    """A container of a storage account, and how to get in."""

    account_name: str
    container_name: str
    endpoint: str | None = None
    protocol: str | None = None
    credential_type: str | None = None
    credential: str | None = None
    account_key: str | None = None
    sas_token: str | None = None
    client_credentials: ClientCredentials | None = None


class AzureDataLake(ClientCredentials):
    """A Data Lake store of the first generation."""

    store_name: str


class DataStore(Properties):
    """A datastore: its type says which of the sections counts."""

    name: str | None = None
    data_store_type: str
    tags: dict[str, str | None] = Field(default_factory=dict)
    azure_storage_section: AzureStorage | None = None
    azure_data_lake_section: AzureDataLake | None = None


def to_arm(store: DataStore) -> Json:
    """ARM's properties. Raises ArmError 400, and 501 for the types that ARM has not."""
    named = {name.lower(): arm for name, arm in TYPES.items()}
    arm_type = named.get(store.data_store_type.lower())
    if arm_type is None:
        instead = f"use one of {', '.join(TYPES)}."
        raise not_implemented(f"A datastore of type {store.data_store_type!r}", instead)
    said: Json = {"datastoreType": arm_type, "tags": store.tags}
    if arm_type == "AzureDataLakeGen1":
        lake = _section(store.azure_data_lake_section, "azureDataLakeSection", store)
        return {**said, "storeName": lake.store_name, "credentials": _principal(lake)}
    storage = _section(store.azure_storage_section, "azureStorageSection", store)
    place = {"endpoint": storage.endpoint, "protocol": storage.protocol}
    return {
        **said,
        **{name: value for name, value in place.items() if value},
        "accountName": storage.account_name,
        CONTAINERS[arm_type]: storage.container_name,
        "credentials": _credentials(storage),
    }


def from_arm(row: Resource, shown: Mapping[str, Any], secret: Mapping[str, Any]) -> Json:
    """A DataStore. shown: ARM's properties; secret: what listSecrets says, {} without it."""
    arm_type = str(shown["datastoreType"])
    is_lake = arm_type == "AzureDataLakeGen1"
    section = "azureDataLakeSection" if is_lake else "azureStorageSection"
    return {
        "name": row.name,
        "dataStoreType": OLDER.get(arm_type, arm_type),
        "hasBeenValidated": True,
        "tags": shown.get("tags") or {},
        "azureStorageSection": None,
        "azureDataLakeSection": None,
        "azureSqlDatabaseSection": None,
        "azurePostgreSqlSection": None,
        "glusterFsSection": None,
        section: _lake(row, shown, secret) if is_lake else _storage(row, shown, secret),
    }


def _storage(row: Resource, shown: Mapping[str, Any], secret: Mapping[str, Any]) -> Json:
    credentials = shown.get("credentials") or {}
    kind = str(credentials.get("credentialsType") or "None")
    called = CONTAINERS.get(str(shown["datastoreType"]), "containerName")
    is_principal = kind == "ServicePrincipal"
    return {
        "accountName": shown.get("accountName"),
        "containerName": shown.get(called) or shown.get("containerName"),
        "endpoint": shown.get("endpoint"),
        "protocol": shown.get("protocol"),
        "credentialType": CREDENTIALS.get(kind, kind),
        "credential": secret.get("key") or secret.get("sasToken"),
        "accountKey": secret.get("key"),
        "sasToken": secret.get("sasToken"),
        "isSas": kind == "Sas",
        "clientCredentials": _show_principal(credentials, secret) if is_principal else None,
        "areWorkspaceManagedIdentitiesAllowed": False,
        **_place(row),
    }


def _lake(row: Resource, shown: Mapping[str, Any], secret: Mapping[str, Any]) -> Json:
    principal = _show_principal(shown.get("credentials") or {}, secret)
    return {"storeName": shown.get("storeName"), **principal, **_place(row)}


def _show_principal(credentials: Mapping[str, Any], secret: Mapping[str, Any]) -> Json:
    return {
        "clientId": credentials.get("clientId"),
        "tenantId": credentials.get("tenantId"),
        "authorityUrl": credentials.get("authorityUrl"),
        "resourceUri": credentials.get("resourceUrl"),
        "clientSecret": secret.get("clientSecret"),
        "isCertAuth": False,
    }


def _place(row: Resource) -> Json:
    return {
        "subscriptionId": segment_of(row.id, "subscriptions"),
        "resourceGroup": segment_of(row.id, "resourceGroups"),
    }


def _credentials(storage: AzureStorage) -> Json:
    """ARM's credentials; without a credentialType, of whatever is given."""
    key, token = storage.account_key, storage.sas_token
    kind = (storage.credential_type or "").lower()
    kind = kind or ("accountkey" if key else "sas" if token else "none")
    if kind == "accountkey":
        return _secret("AccountKey", key=_needed(key or storage.credential, "accountKey"))
    if kind == "sas":
        return _secret("Sas", sasToken=_needed(token or storage.credential, "sasToken"))
    if kind == "clientcredentials":
        return _principal(_needed(storage.client_credentials, "clientCredentials"))
    if kind == "none":
        return {"credentialsType": "None"}
    message = (
        f"{storage.credential_type!r} is no credentialType: None, Sas, AccountKey or "
        "ClientCredentials."
    )
    raise ArmError("ValidationError", message, target="credentialType")


def _principal(given: ClientCredentials) -> Json:
    return {
        **_secret("ServicePrincipal", clientSecret=given.client_secret),
        "clientId": given.client_id,
        "tenantId": given.tenant_id,
        "authorityUrl": given.authority_url,
        "resourceUrl": given.resource_uri,
    }


def _secret(kind: str, **value: str | None) -> Json:
    return {"credentialsType": kind, "secrets": {"secretsType": kind, **value}}


def _section(section: Any, name: str, store: DataStore) -> Any:
    if section is None:
        message = f"A datastore of type {store.data_store_type!r} needs {name}."
        raise ArmError("ValidationError", message, target=name)
    return section


def _needed(value: Any, name: str) -> Any:
    if not value:
        message = f"azureStorageSection.{name} is needed for this credentialType."
        raise ArmError("ValidationError", message, target=name)
    return value
