"""What callers can say of an online deployment, and how api-versions say it.

Source: spec/REST.md 7.6, spec/ONLINE.md 5.5.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from lazulite.arm.kind import Duration, Properties
from lazulite.arm.wire import Reshaped, Respelled, Unknown, Wire
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError
from lazulite.deployments.asset_references import AssetReference, model_text, reference_object
from lazulite.deployments.endpoint_properties import BEFORE_OCTOBER_2021, DeploymentProperties
from lazulite.store.resources import Json

MOST_INSTANCES = 100


class RequestSettings(Properties):
    """Limits on requests."""

    request_timeout: Duration = "PT5S"
    max_concurrent_requests_per_instance: int = Field(default=1, ge=1, le=1000)
    max_queue_wait: Duration = "PT0.5S"


class ProbeSettings(Properties):
    """How a replica is asked whether it is well."""

    initial_delay: Duration = "PT10S"
    period: Duration = "PT10S"
    timeout: Duration = "PT2S"
    failure_threshold: int = Field(default=30, ge=1)
    success_threshold: int = Field(default=1, ge=1)


class FixedScale(Properties):
    """As many instances as sku.capacity says."""

    scale_type: Literal["Default"]


class InstanceRange(Properties):
    """Bounds that 2021-03-01-preview keeps beside a fixed number of instances."""

    min_instances: int | None = Field(default=None, ge=0)
    max_instances: int | None = Field(default=None, ge=0)


class UtilizationScale(Properties):
    """As many instances as the load asks for."""

    scale_type: Literal["TargetUtilization"]
    min_instances: int = Field(default=1, ge=0)
    max_instances: int = Field(default=1, ge=1, le=MOST_INSTANCES)
    polling_interval: Duration = "PT1S"
    target_utilization_percentage: int = Field(default=70, ge=1, le=100)


SHORTEST_POLL = timedelta(milliseconds=100)


def check_scale(scale: Json) -> None:
    """Raise ArmError 400 for bounds that no number of instances meets, or a hasty interval."""
    if scale["scaleType"] != "TargetUtilization":
        return
    least, most = scale["minInstances"], scale["maxInstances"]
    if least > most:
        raise ArmError(
            "ValidationError",
            f"minInstances is {least} and maxInstances {most}: the first must not be larger.",
            target="scaleSettings.minInstances",
        )
    if parse_duration(scale["pollingInterval"]) < SHORTEST_POLL:
        raise ArmError(
            "ValidationError",
            f"pollingInterval is {scale['pollingInterval']}: it must be PT0.1S or more.",
            target="scaleSettings.pollingInterval",
        )


class Collection(Properties):
    """What is collected of inputs or outputs."""

    client_id: str | None = None
    data_collection_mode: Literal["Enabled", "Disabled"] | None = None
    data_id: str | None = None
    sampling_rate: float = Field(default=1.0, ge=0, le=1)


class RequestLogging(Properties):
    """Headers that are collected."""

    capture_headers: list[str] | None = None


class DataCollector(Properties):
    """Collection of production data; of previews since 2023-04-01."""

    collections: dict[str, Collection]
    request_logging: RequestLogging | None = None
    rolling_rate: Literal["Year", "Month", "Day", "Hour", "Minute"] | None = None


Scale = Annotated[FixedScale | UtilizationScale, Field(discriminator="scale_type")]


Model = Annotated[
    str | None, BeforeValidator(model_text, json_schema_input_type=str | AssetReference | None)
]
"""In either form; kept as a text."""


class OnlineDeployment(DeploymentProperties):
    """What a caller can say of a deployment."""

    endpoint_compute_type: Literal["Managed", "Kubernetes", "AzureMLCompute"]
    model: Model = None
    model_mount_path: str | None = None
    instance_type: str | None = None
    app_insights_enabled: bool = False
    request_settings: RequestSettings = Field(default_factory=RequestSettings)
    liveness_probe: ProbeSettings | None = None
    readiness_probe: ProbeSettings | None = None
    scale_settings: Scale = Field(default_factory=lambda: FixedScale(scale_type="Default"))
    instance_count: int | None = Field(default=None, ge=1, le=MOST_INSTANCES)
    """As 2021-03-01-preview says it; it is kept as sku.capacity."""
    instance_range: InstanceRange | None = None
    egress_public_network_access: Literal["Enabled", "Disabled"] = "Enabled"
    private_network_connection: bool | None = None
    data_collector: DataCollector | None = None


class _OldScale(Properties):
    """Manual or Auto, of 2021-03-01-preview."""

    scale_type: Literal["Manual", "Auto"] | None = None
    instance_count: int | None = None
    min_instances: int | None = None
    max_instances: int | None = None
    polling_interval: str | None = None
    target_utilization_percentage: int | None = None


class _Old(Properties):
    """What 2021-03-01-preview arranges otherwise. A model is read in both forms everywhere."""

    scale_settings: _OldScale | None = None


RANGE = ("minInstances", "maxInstances")


def _from_old(old: _Old) -> Json:
    if old.scale_settings is None:
        return {}
    scale = old.scale_settings.model_dump(by_alias=True, exclude_none=True)
    if scale.get("scaleType") == "Auto":
        return {"scaleSettings": {**scale, "scaleType": "TargetUtilization"}}
    return {
        "scaleSettings": {"scaleType": "Default"},
        "instanceCount": scale.get("instanceCount"),
        "instanceRange": {name: scale[name] for name in RANGE if name in scale} or None,
    }


def _to_old(properties: Json) -> Json:
    counted = {"instanceCount", "instanceRange"}
    rest = {name: value for name, value in properties.items() if name not in counted}
    scale, bounds = properties["scaleSettings"], properties.get("instanceRange") or {}
    if scale["scaleType"] == "Default":
        count = properties.get("instanceCount")
        old = {"scaleType": "Manual", "instanceCount": count, **dict.fromkeys(RANGE), **bounds}
    else:
        old = {**scale, "scaleType": "Auto"}
    return {**rest, "scaleSettings": old, "model": reference_object(properties["model"])}


ONLINE_DEPLOYMENT_WIRE = Wire(
    (
        Unknown(("modelMountPath",), until=BEFORE_OCTOBER_2021),
        Unknown(("egressPublicNetworkAccess",), until="2022-01-31"),
        Unknown(("egressPublicNetworkAccess",), since="2022-02-02", until="2022-09-30"),
        Unknown(("privateNetworkConnection",), until="2022-01-31"),
        Unknown(("privateNetworkConnection",), since="2022-02-02"),
        Unknown(("dataCollector",), until="2023-03-31"),
        Respelled("endpointComputeType", {"Kubernetes": "K8S"}, until=BEFORE_OCTOBER_2021),
        Reshaped(_Old, _from_old, _to_old, until=BEFORE_OCTOBER_2021),
        Unknown(("instanceCount", "instanceRange"), since="2021-10-01"),
    )
)
"""privateNetworkConnection is of 2022-02-01-preview alone; dataCollector is of previews only."""
