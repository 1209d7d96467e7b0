"""What a caller can say of a workspace; what versions differ in. Source: spec/REST.md 7.1."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from lazulite.arm.kind import Properties
from lazulite.arm.wire import Unknown, Wire
from lazulite.store.resources import Json

Switch = Literal["Enabled", "Disabled"]


class CmkIdentity(Properties):
    """Who reads the customer's key."""

    user_assigned_identity: str | None = None


class KeyVaultKey(Properties):
    """The customer's key."""

    key_vault_arm_id: str
    key_identifier: str
    identity_client_id: str | None = None


class Encryption(Properties):
    """Kept; data are encrypted as the disk is."""

    status: Switch
    identity: CmkIdentity | None = None
    key_vault_properties: KeyVaultKey


class SharedPrivateLinkSettings(Properties):
    """Kept; there are no private links."""

    private_link_resource_id: str | None = None
    group_id: str | None = None
    request_message: str | None = None
    status: Literal["Pending", "Approved", "Rejected", "Disconnected", "Timeout"] | None = None


class SharedPrivateLink(Properties):
    """A link to another resource."""

    name: str | None = None
    properties: SharedPrivateLinkSettings | None = None


class CosmosDb(Properties):
    """Kept; there is no such service."""

    collections_throughput: int | None = None


class ManagedResources(Properties):
    """Settings of services that Azure runs for a workspace."""

    cosmos_db: CosmosDb | None = None


class Serverless(Properties):
    """Kept."""

    serverless_compute_custom_subnet: str | None = None
    serverless_compute_no_public_ip: bool | None = Field(
        default=None, alias="serverlessComputeNoPublicIP"
    )


class NetworkStatus(Properties):
    """How far a managed network is."""

    spark_ready: bool | None = None
    status: Literal["Inactive", "Active"] | None = None


class ManagedNetwork(Properties):
    """Kept; nothing is isolated by it."""

    isolation_mode: (
        Literal["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"] | None
    ) = None
    outbound_rules: dict[str, Json | None] | None = None
    status: NetworkStatus | None = None


class SparkRuntime(Properties):
    """Kept."""

    spark_runtime_version: str | None = None


class FeatureStore(Properties):
    """Kept; there is no feature store."""

    compute_runtime: SparkRuntime | None = None
    offline_store_connection_name: str | None = None
    online_store_connection_name: str | None = None


class Workspace(Properties):
    """The properties. Fields of previews after 2023-10-01 are kept as they come."""

    friendly_name: str | None = None
    description: str | None = None
    storage_account: str | None = None
    key_vault: str | None = None
    application_insights: str | None = None
    container_registry: str | None = None
    hbi_workspace: bool = False
    encryption: Encryption | None = None
    image_build_compute: str | None = None
    allow_public_access_when_behind_vnet: bool = False
    public_network_access: Switch = "Enabled"
    shared_private_link_resources: list[SharedPrivateLink] | None = None
    service_managed_resources_settings: ManagedResources | None = None
    primary_user_assigned_identity: str | None = None
    v1_legacy_mode: bool = False
    serverless_compute_settings: Serverless | None = None
    managed_network: ManagedNetwork | None = None
    feature_store_settings: FeatureStore | None = None
    system_datastores_auth_mode: Literal["AccessKey", "Identity", "UserDelegationSAS", None] = None
    soft_delete_retention_in_days: int | None = None
    enable_data_isolation: bool | None = None
    storage_accounts: list[str] | None = None
    key_vaults: list[str] | None = None
    container_registries: list[str] | None = None
    existing_workspaces: list[str] | None = None
    hub_resource_id: str | None = None
    workspace_hub_config: dict[str, Any] | None = None
    enable_software_bill_of_materials: bool | None = None
    ip_allowlist: list[str] | None = None

    @field_validator("system_datastores_auth_mode", mode="before")
    @classmethod
    def _nothing_is_no_mode(cls, value: Any) -> Any:
        """The template of azure-ai-ml says "" for what its user has not said."""
        return value or None


DEFAULTS: Json = {
    "sku": {"name": "Basic", "tier": "Basic"},
    "identity": {"type": "SystemAssigned"},
    "kind": "Default",
}
"""What stands beside the properties where nothing is said."""
HUB = (
    *("enableDataIsolation", "storageAccounts", "keyVaults", "containerRegistries"),
    *("existingWorkspaces", "hubResourceId", "associatedWorkspaces"),
)
WORKSPACE_WIRE = Wire(
    (
        Unknown(
            ("creationTime", "subscriptionState", "subscriptionStatusChangeTimeStampUtc"),
            since="2020-12-31",
        ),
        Unknown(("encryption", "serviceProvisionedResourceGroup"), until="2019-12-31"),
        Unknown(
            (
                *("privateLinkCount", "imageBuildCompute", "allowPublicAccessWhenBehindVnet"),
                *("privateEndpointConnections", "sharedPrivateLinkResources", "notebookInfo"),
            ),
            until="2020-02-29",
        ),
        Unknown(
            ("serviceManagedResourcesSettings", "primaryUserAssignedIdentity"), until="2020-12-31"
        ),
        Unknown(("tenantId",), until="2021-02-28"),
        Unknown(
            ("publicNetworkAccess", "storageHnsEnabled", "mlFlowTrackingUri", "studioEndpoint"),
            until="2021-06-30",
        ),
        Unknown(("v1LegacyMode",), until="2022-04-30"),
        Unknown(
            ("featureStoreSettings", "systemDatastoresAuthMode", "softDeleteRetentionInDays"),
            until="2023-01-31",
        ),
        Unknown(("managedNetwork", *HUB), until="2023-03-31"),
        Unknown(("workspaceHubConfig",), until="2023-05-31"),
        Unknown(("serverlessComputeSettings",), until="2023-07-31"),
        Unknown(("enableSoftwareBillOfMaterials", "ipAllowlist"), until="2023-12-31"),
    )
)
"""Since when fields are there: field_history.json. What the article of 2019-11-01 shows beside its
swagger (hbiWorkspace, subscriptionState) is shown, too."""
