"""Batch deployments: how files are scored. It is ready once all it refers to is on this machine.

Source: spec/BATCH.md 1.1, spec/REST.md 7.7.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, field_validator

from lazulite.arm.kind import ENDPOINT_NAME, Kind, Properties
from lazulite.arm.references import find_one
from lazulite.core.ids import workspace_of
from lazulite.deployments.invocations import FileName, RunTimeout
from lazulite.deployments.materials import Preparing, Workshop
from lazulite.operations.reconciler import Step
from lazulite.store.resources import Resource

SOON = timedelta(milliseconds=100)


class CodeConfiguration(Properties):
    """Where the scoring script is."""

    code_id: str | None = None
    scoring_script: str


class Resources(Properties):
    """How many nodes a job gets."""

    instance_count: int = Field(default=1, ge=1)
    instance_type: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)


class RetrySettings(Properties):
    """How often and how long a mini-batch is tried."""

    max_retries: int = Field(default=3, ge=0)
    timeout: RunTimeout = "PT30S"


class BatchDeployment(Properties):
    """What a caller can say of a deployment."""

    model: Any = None
    code_configuration: CodeConfiguration | None = None
    environment_id: str | None = None
    environment_variables: dict[str, str | None] = Field(default_factory=dict)
    description: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    compute: str
    resources: Resources = Field(default_factory=Resources)
    max_concurrency_per_instance: int = Field(default=1, ge=1)
    mini_batch_size: int = Field(default=10, ge=1)
    output_action: Literal["AppendRow", "SummaryOnly"] = "AppendRow"
    output_file_name: FileName = "predictions.csv"
    error_threshold: int = Field(default=-1, ge=-1)
    retry_settings: RetrySettings = Field(default_factory=RetrySettings)
    logging_level: Literal["Info", "Warning", "Debug"] = "Info"

    @field_validator("retry_settings", "resources", mode="before")
    @classmethod
    def _nothing_is_default(cls, value: Any) -> Any:
        return value or {}


def batch_deployment(workshop: Workshop) -> Kind:
    """workspaces/batchEndpoints/deployments."""

    async def reconcile(deployment: Resource) -> Step:
        """Find the compute, fetch the assets, have the environment built."""
        if deployment.deleting:
            return Step(observed=deployment.observed, converged=True)
        compute = deployment.properties["compute"]
        await find_one(workshop.resources, workspace_of(deployment.id), "computes", compute)
        materials = await workshop.materials(deployment)
        if isinstance(materials, Preparing):
            return Step(observed=materials.observed(), converged=False, after=SOON)
        observed = {"phase": "ready", "environment": materials.environment}
        return Step(observed=observed, converged=True)

    return Kind(
        resource_type="workspaces/batchEndpoints/deployments",
        name=ENDPOINT_NAME,
        properties=BatchDeployment,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        reconcile=reconcile,
        has_operation_uri=True,
    )
