"""The types of datastores. Source: spec/REST.md 7.3; Hdfs, OneLake: field_history.json."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lazulite.arm.kind import Properties, said
from lazulite.core.errors import ArmError
from lazulite.datastores.credentials import Credentials, Nothing
from lazulite.store.resources import Json

Word = r"[a-zA-Z0-9_]"
Access = Literal["None", "WorkspaceSystemAssignedIdentity", "WorkspaceUserAssignedIdentity"]


def _none() -> Nothing:
    return Nothing(credentials_type="None")


class Datastore(Properties):
    """What all types have."""

    datastore_type: str
    credentials: Credentials = Field(default_factory=_none)
    description: str | None = None
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    linked_info: Json | None = None
    intellectual_property: Json | None = None
    service_data_access_auth_identity: Access = "None"
    subscription_id: str | None = None
    resource_group: str | None = None


class InAccount(Datastore):
    """Somewhere in a storage account, of this server or another one."""

    account_name: str = Field(pattern=Word)
    endpoint: str | None = None
    protocol: str = "https"


class AzureBlob(InAccount):
    """A container."""

    datastore_type: Literal["AzureBlob"]
    container_name: str = Field(pattern=Word)


class AzureFile(InAccount):
    """A share. Of an account of this server it is the container of the same name."""

    datastore_type: Literal["AzureFile"]
    file_share_name: str = Field(pattern=Word)


class AzureDataLakeGen2(InAccount):
    """A file system."""

    datastore_type: Literal["AzureDataLakeGen2"]
    filesystem: str = Field(pattern=Word)


class AzureDataLakeGen1(Datastore):
    """A Data Lake store of the first generation."""

    datastore_type: Literal["AzureDataLakeGen1"]
    store_name: str = Field(pattern=Word)


class LocalFolder(Datastore):
    """A folder of the server's machine. An extension: Azure has no such type."""

    datastore_type: Literal["LocalFolder"]
    folder: str = Field(pattern=r"^/")


class Hdfs(Datastore):
    """A Hadoop file system."""

    datastore_type: Literal["Hdfs"]
    name_node_address: str = Field(pattern=Word)
    protocol: str = "http"
    hdfs_server_certificate: str | None = None


class OneLake(Datastore):
    """A lake house of Microsoft Fabric."""

    datastore_type: Literal["OneLake"]
    artifact: Json
    endpoint: str | None = None
    one_lake_workspace_name: str = Field(pattern=Word)


class Database(Datastore):
    """A database server, of 2021-03-01-preview only."""

    datastore_type: Literal["AzureMySql", "AzurePostgreSql", "AzureSqlDatabase"]
    server_name: str = Field(pattern=Word)
    database_name: str = Field(pattern=Word)
    port_number: int
    endpoint: str
    enable_ssl: bool | None = Field(default=None, alias="enableSSL")


class GlusterFs(Datastore):
    """A Gluster volume, of 2021-03-01-preview only."""

    datastore_type: Literal["GlusterFs"]
    server_address: str = Field(pattern=Word)
    volume_name: str = Field(pattern=Word)


TYPES: dict[str, type[Datastore]] = {
    "AzureBlob": AzureBlob,
    "AzureFile": AzureFile,
    "AzureDataLakeGen1": AzureDataLakeGen1,
    "AzureDataLakeGen2": AzureDataLakeGen2,
    "LocalFolder": LocalFolder,
    "Hdfs": Hdfs,
    "OneLake": OneLake,
    **dict.fromkeys(("AzureMySql", "AzurePostgreSql", "AzureSqlDatabase"), Database),
    "GlusterFs": GlusterFs,
}


class AnyDatastore(Datastore):
    """A datastore of whichever type."""

    @classmethod
    def chosen(cls, given: Json) -> type[Properties]:
        """The model of the type. Raises ArmError 400 if there is none of that name."""
        named = str(said(given, "datastoreType") or "")
        for name, model in TYPES.items():
            if name.lower() == named.lower():
                return model
        raise ArmError(
            "ValidationError",
            f"datastoreType is {named!r}: it must be one of {', '.join(TYPES)}.",
            target="datastoreType",
        )

    @classmethod
    def models(cls) -> tuple[type[Properties], ...]:
        """One for each type."""
        return tuple(dict.fromkeys(TYPES.values()))
