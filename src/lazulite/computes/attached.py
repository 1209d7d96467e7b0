"""Computes that are elsewhere: attached as records, which nothing can run on here.

Source: spec/REST.md 7.2; fields of `properties`: the published models of 2023-10-01.
"""

from __future__ import annotations

from typing import Any, Literal

from lazulite.arm.kind import Properties
from lazulite.computes.properties import Compute
from lazulite.store.resources import Json


class Ssl(Properties):
    """TLS of a cluster's services. Certificate and key are write-only."""

    status: Literal["Disabled", "Enabled", "Auto"] | None = None
    cert: str | None = None
    key: str | None = None
    cname: str | None = None
    leaf_domain_label: str | None = None
    overwrite_existing_domain: bool | None = None


class AksSettings(Properties):
    """An AKS cluster."""

    cluster_fqdn: str | None = None
    agent_count: int | None = None
    agent_vm_size: str | None = None
    cluster_purpose: Literal["FastProd", "DenseProd", "DevTest"] = "FastProd"
    ssl_configuration: Ssl | None = None
    aks_networking_configuration: Json | None = None
    load_balancer_type: Literal["PublicIp", "InternalLoadBalancer"] = "PublicIp"
    load_balancer_subnet: str | None = None


class Aks(Compute):
    """Azure Kubernetes Service. Attached only: none can be made here."""

    compute_type: Literal["AKS"]
    resource_id: str
    properties: AksSettings | None = None


class KubernetesSettings(Properties):
    """A cluster with the extension. Connection strings are write-only."""

    relay_connection_string: str | None = None
    service_bus_connection_string: str | None = None
    extension_principal_id: str | None = None
    extension_instance_release_train: str | None = None
    vc_name: str | None = None
    namespace: str = "default"
    default_instance_type: str | None = None
    instance_types: dict[str, Json] | None = None


class Kubernetes(Compute):
    """Any Kubernetes cluster."""

    compute_type: Literal["Kubernetes"]
    resource_id: str
    properties: KubernetesSettings | None = None


class SshAccount(Properties):
    """Who signs in. All but the name is write-only."""

    username: str | None = None
    password: str | None = None
    public_key_data: str | None = None
    private_key_data: str | None = None


class MachineSettings(Properties):
    """A virtual machine."""

    virtual_machine_size: str | None = None
    ssh_port: int | None = None
    notebook_server_port: int | None = None
    address: str | None = None
    administrator_account: SshAccount | None = None
    is_notebook_instance_compute: bool | None = None


class VirtualMachine(Compute):
    """A machine that is reached by ssh."""

    compute_type: Literal["VirtualMachine"]
    properties: MachineSettings | None = None


class HdInsightSettings(Properties):
    """A Spark cluster."""

    ssh_port: int | None = None
    address: str | None = None
    administrator_account: SshAccount | None = None


class HdInsight(Compute):
    """HDInsight."""

    compute_type: Literal["HDInsight"]
    properties: HdInsightSettings | None = None


class DatabricksSettings(Properties):
    """A Databricks workspace. The token is write-only."""

    databricks_access_token: str | None = None
    workspace_url: str | None = None


class Databricks(Compute):
    """Azure Databricks."""

    compute_type: Literal["Databricks"]
    properties: DatabricksSettings | None = None


class DataLakeAnalyticsSettings(Properties):
    """The account's store."""

    data_lake_store_account_name: str | None = None


class DataLakeAnalytics(Compute):
    """Data Lake Analytics."""

    compute_type: Literal["DataLakeAnalytics"]
    properties: DataLakeAnalyticsSettings | None = None


class DataFactory(Compute):
    """Data Factory; it has no properties of its own."""

    compute_type: Literal["DataFactory"]
    properties: dict[str, Any] | None = None


class SynapseSettings(Properties):
    """A Spark pool."""

    auto_scale_properties: Json | None = None
    auto_pause_properties: Json | None = None
    spark_version: str | None = None
    node_count: int | None = None
    node_size: str | None = None
    node_size_family: str | None = None
    subscription_id: str | None = None
    resource_group: str | None = None
    workspace_name: str | None = None
    pool_name: str | None = None


class SynapseSpark(Compute):
    """A pool of Azure Synapse."""

    compute_type: Literal["SynapseSpark"]
    properties: SynapseSettings | None = None
