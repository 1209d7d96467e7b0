"""What callers can say of a batch deployment, and how api-versions say it.

Source: spec/REST.md 7.7, spec/BATCH.md 1.1.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lazulite.arm.kind import Properties
from lazulite.arm.wire import Reshaped, Unknown, Wire
from lazulite.deployments.asset_references import AssetReference, IdReference
from lazulite.deployments.batch_extensions import DEFAULT_FILE_NAME
from lazulite.deployments.endpoint_properties import (
    BEFORE_OCTOBER_2021,
    DeploymentProperties,
    Texts,
)
from lazulite.deployments.invocations import (
    MOST,
    MOST_FILES,
    Concurrency,
    FileName,
    LoggingLevel,
    RunTimeout,
)
from lazulite.store.resources import Json

OutputAction = Literal["SummaryOnly", "AppendRow"]


class Resources(Properties):
    """How many nodes a job gets."""

    instance_count: int = Field(default=1, ge=1, le=MOST)
    instance_type: str | None = None
    properties: dict[str, Any] | None = None


class RetrySettings(Properties):
    """How often and how long a mini-batch is tried."""

    max_retries: int = Field(default=3, ge=0, le=MOST)
    timeout: RunTimeout = "PT30S"


class DeploymentConfiguration(Properties):
    """What a deployment runs: a model, or a pipeline; of previews since 2023-02-01."""

    deployment_configuration_type: Literal["Model", "PipelineComponent"]
    component_id: IdReference | None = None
    description: str | None = None
    settings: Texts | None = None
    tags: Texts | None = None


class BatchDeployment(DeploymentProperties):
    """What a caller can say of a deployment."""

    model: AssetReference | None = None
    compute: str = Field(min_length=1)
    resources: Resources = Field(default_factory=Resources)
    max_concurrency_per_instance: Concurrency = 1
    mini_batch_size: int = Field(default=10, ge=1, le=MOST_FILES)
    output_action: OutputAction = "AppendRow"
    output_file_name: FileName = DEFAULT_FILE_NAME
    error_threshold: int = Field(default=-1, ge=-1, le=MOST)
    retry_settings: RetrySettings = Field(default_factory=RetrySettings)
    logging_level: LoggingLevel = "Info"
    partition_keys: list[str] | None = None
    deployment_configuration: DeploymentConfiguration | None = None


class _OldCompute(Properties):
    """The compute of 2021-03-01-preview; its isLocal and location mean nothing here."""

    target: str | None = None
    instance_count: int | None = None
    instance_type: str | None = None
    properties: dict[str, Any] | None = None


class _OldOutput(Properties):
    append_row_file_name: str | None = None
    output_action: OutputAction | None = None


class _Old(Properties):
    """What 2021-03-01-preview arranges otherwise."""

    compute: _OldCompute | None = None
    output_configuration: _OldOutput | None = None


def _from_old(old: _Old) -> Json:
    compute, output = old.compute or _OldCompute(), old.output_configuration or _OldOutput()
    resources = compute.model_dump(by_alias=True, exclude_none=True, exclude={"target"})
    return {
        "compute": compute.target,
        "resources": resources or None,
        "outputFileName": output.append_row_file_name,
        "outputAction": output.output_action,
    }


def _to_old(properties: Json) -> Json:
    moved = {"compute", "resources", "outputFileName", "outputAction"}
    return {
        **{name: value for name, value in properties.items() if name not in moved},
        "compute": {"target": properties["compute"], **properties["resources"]},
        "outputConfiguration": {
            "appendRowFileName": properties["outputFileName"],
            "outputAction": properties["outputAction"],
        },
    }


BATCH_DEPLOYMENT_WIRE = Wire(
    (
        Unknown(("maxConcurrencyPerInstance",), until=BEFORE_OCTOBER_2021),
        Unknown(("partitionKeys",), since="2021-10-01"),
        Unknown(("deploymentConfiguration",), until="2023-01-31"),
        Reshaped(_Old, _from_old, _to_old, until=BEFORE_OCTOBER_2021),
    )
)
