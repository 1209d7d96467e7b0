"""Batch endpoints: a scoring URI, and which deployment it means by default.

Source: spec/BATCH.md 1.1, spec/REST.md 7.7, spec/CLIENTS.md 9.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from lazulite.arm.kind import ENDPOINT_NAME, Kind, Properties, Proposal
from lazulite.arm.proposals import refuse_taken_name
from lazulite.core.ids import BATCH_ENDPOINTS
from lazulite.store.resources import Json, Resource, Resources


class Defaults(Properties):
    """What an invocation gets that names nothing else."""

    deployment_name: str | None = None


class BatchEndpoint(Properties):
    """What a caller can say of an endpoint."""

    auth_mode: str = "AADToken"
    description: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    defaults: Defaults = Field(default_factory=Defaults)

    @field_validator("auth_mode")
    @classmethod
    def _only_tokens(cls, value: str) -> str:
        if value.replace("_", "").lower() != "aadtoken":
            raise ValueError("batch endpoints know one authMode: aadToken")
        return "AADToken"

    @field_validator("defaults", mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: Any) -> Any:
        return value or {}


async def _show(endpoint: Resource, base: str) -> Json:
    return {"scoringUri": f"{base}/inference/{endpoint.name}/jobs", "swaggerUri": None}


def batch_endpoint(resources: Resources) -> Kind:
    """workspaces/batchEndpoints."""

    async def prepare(proposal: Proposal) -> Proposal:
        await refuse_taken_name(resources, BATCH_ENDPOINTS, proposal)
        return proposal

    return Kind(
        resource_type="workspaces/batchEndpoints",
        name=ENDPOINT_NAME,
        properties=BatchEndpoint,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        prepare=prepare,
        show=_show,
        has_operation_uri=True,
    )
