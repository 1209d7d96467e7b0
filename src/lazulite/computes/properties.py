"""Clusters and instances: what a caller can say of them. Source: spec/REST.md 7.2."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from lazulite.arm.kind import Duration, Properties
from lazulite.store.resources import Json

MOST_KEPT = 100
MOST_NODES = 65000
Switch = Literal["Enabled", "Disabled"]


class Compute(Properties):
    """What every type of compute has."""

    compute_type: str
    description: str | None = None
    disable_local_auth: bool = False
    resource_id: str | None = None
    compute_location: str | None = None


class ScaleSettings(Properties):
    """How many nodes, and how long an idle one stays.

    A kept node is a process on this machine, hence the bound on minNodeCount.
    """

    min_node_count: int = Field(default=0, ge=0, le=MOST_KEPT)
    max_node_count: int = Field(ge=1, le=MOST_NODES)
    node_idle_time_before_scale_down: Duration = "PT120S"

    @model_validator(mode="after")
    def _in_order(self) -> ScaleSettings:
        if self.min_node_count > self.max_node_count:
            raise ValueError(
                f"minNodeCount {self.min_node_count} is larger than maxNodeCount "
                f"{self.max_node_count}"
            )
        return self


class ResourceId(Properties):
    """A subnet; kept."""

    id: str


class UserAccount(Properties):
    """The user of nodes, whom nobody can sign in as here. Password and key are write-only."""

    admin_user_name: str
    admin_user_ssh_public_key: str | None = None
    admin_user_password: str | None = None


class ClusterSettings(Properties):
    """What only nodes in Azure have is kept as it came."""

    os_type: Literal["Linux", "Windows"] = "Linux"
    vm_size: str = "Standard_DS3_v2"
    vm_priority: Literal["Dedicated", "LowPriority"] = "Dedicated"
    virtual_machine_image: ResourceId | None = None
    isolated_network: bool | None = None
    scale_settings: ScaleSettings = Field(default_factory=lambda: ScaleSettings(max_node_count=4))
    user_account_credentials: UserAccount | None = None
    subnet: ResourceId | None = None
    remote_login_port_public_access: Literal["Enabled", "Disabled", "NotSpecified"] = "NotSpecified"
    enable_node_public_ip: bool = True
    property_bag: Any = None


class AmlCompute(Compute):
    """A cluster whose nodes come with work and leave when idle."""

    compute_type: Literal["AmlCompute"]
    properties: ClusterSettings = Field(default_factory=ClusterSettings)


class SshSettings(Properties):
    """Kept; instances are reached by jobs only."""

    ssh_public_access: Switch = "Disabled"
    admin_public_key: str | None = None


class AssignedUser(Properties):
    """Whose the instance is."""

    object_id: str
    tenant_id: str


class PersonalSettings(Properties):
    """Kept."""

    assigned_user: AssignedUser | None = None


class Script(Properties):
    """A setup script; kept, not run."""

    script_source: str | None = None
    script_data: str | None = None
    script_arguments: str | None = None
    timeout: str | None = None


class Scripts(Properties):
    """When which runs in Azure."""

    startup_script: Script | None = None
    creation_script: Script | None = None


class SetupScripts(Properties):
    """The scripts."""

    scripts: Scripts | None = None


class RecurrenceTimes(Properties):
    """The hours and days of a recurrence."""

    hours: list[int]
    minutes: list[int]
    month_days: list[int] | None = None
    week_days: list[str] | None = None


class Recurrence(Properties):
    """Every so often."""

    frequency: Literal["Minute", "Hour", "Day", "Week", "Month"] | None = None
    interval: int | None = Field(default=None, ge=1)
    start_time: str | None = None
    time_zone: str = "UTC"
    schedule: RecurrenceTimes | None = None


class Cron(Properties):
    """By a cron expression."""

    start_time: str | None = None
    time_zone: str = "UTC"
    expression: str | None = None


class NamedSchedule(Properties):
    """A schedule resource that is meant instead."""

    id: str | None = None
    status: Switch | None = None


class StartStop(Properties):
    """One schedule of an instance; kept, it does not fire."""

    status: Switch = "Enabled"
    action: Literal["Start", "Stop"] | None = None
    trigger_type: Literal["Recurrence", "Cron"] | None = None
    recurrence: Recurrence | None = None
    cron: Cron | None = None
    schedule: NamedSchedule | None = None


class InstanceSchedules(Properties):
    """When an instance starts and stops."""

    compute_start_stop: list[StartStop] | None = None


class Eviction(Properties):
    """The body of evictNode."""

    node_id: str


class InstanceSettings(Properties):
    """What only machines in Azure have is kept as it came."""

    vm_size: str = "Standard_DS3_v2"
    subnet: ResourceId | None = None
    application_sharing_policy: Literal["Personal", "Shared"] = "Shared"
    ssh_settings: SshSettings | None = None
    custom_services: list[Json] | None = None
    compute_instance_authorization_type: Literal["personal"] = "personal"
    personal_compute_instance_settings: PersonalSettings | None = None
    setup_scripts: SetupScripts | None = None
    schedules: InstanceSchedules | None = None
    enable_node_public_ip: bool = True
    autologger_settings: Json | None = None
    idle_time_before_shutdown: Duration | None = None
    enable_os_patching: bool | None = Field(default=None, alias="enableOSPatching")
    enable_root_access: bool | None = None
    enable_sso: bool | None = Field(default=None, alias="enableSSO")
    release_quota_on_stop: bool | None = None


class ComputeInstance(Compute):
    """One node that is there while it is started."""

    compute_type: Literal["ComputeInstance"]
    properties: InstanceSettings = Field(default_factory=InstanceSettings)
