"""Batch endpoints: a scoring URI, and which deployment it means by default.

Source: spec/BATCH.md 1.1, spec/REST.md 7.7, spec/CLIENTS.md 9.
"""

from __future__ import annotations

import dataclasses

from pydantic import Field, field_validator

from lazulite.arm.kind import ENDPOINT_NAME, Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.proposals import refuse_taken_name
from lazulite.arm.watching import Watching
from lazulite.arm.wire import Reshaped, Wire
from lazulite.core.errors import ArmError
from lazulite.core.ids import BATCH_ENDPOINTS
from lazulite.deployments.endpoint_properties import (
    BEFORE_OCTOBER_2021,
    AuthMode,
    EndpointProperties,
)
from lazulite.deployments.unserved import Unserved, refuse_unserved
from lazulite.store.resources import Json, Resource, Resources

ACTIVE = 100  # percent


class Defaults(Properties):
    """What an invocation gets that names nothing else."""

    deployment_name: str | None = None

    @field_validator("deployment_name")
    @classmethod
    def _empty_is_none(cls, value: str | None) -> str | None:
        return value or None


class BatchEndpoint(EndpointProperties):
    """What a caller can say of an endpoint; authMode may be left out, as there is one only."""

    auth_mode: AuthMode = "AADToken"
    defaults: Defaults = Field(default_factory=Defaults)


class _Old(Properties):
    """What 2021-03-01-preview arranges otherwise: 100 % of the traffic make the default."""

    traffic: dict[str, int] | None = None

    @field_validator("traffic")
    @classmethod
    def _names_one(cls, value: dict[str, int]) -> dict[str, int]:
        if not set(value.values()) <= {0, ACTIVE} or sum(value.values()) > ACTIVE:
            raise ValueError("one deployment of a batch endpoint has 100, all others have 0")
        return value


def _from_old(old: _Old) -> Json:
    if old.traffic is None:
        return {}
    active = next((name for name, share in old.traffic.items() if share == ACTIVE), None)
    return {"defaults": {"deploymentName": active}}


def _to_old(properties: Json) -> Json:
    active = properties["defaults"]["deploymentName"]
    rest = {name: value for name, value in properties.items() if name != "defaults"}
    return {**rest, "traffic": {active: ACTIVE} if active else {}}


BATCH_ENDPOINT_WIRE = Wire((Reshaped(_Old, _from_old, _to_old, until=BEFORE_OCTOBER_2021),))
UNSERVED = (
    Unserved(
        "authMode",
        "AuthModeNotSupported",
        "batch endpoints take tokens for https://ml.azure.com, which is authMode AADToken",
        ("Key", "AMLToken"),
    ),
)


async def _show(endpoint: Resource, base: str) -> Json:
    scoring_uri = f"{base}/inference/{endpoint.name}/jobs"
    return {"keys": None, "scoringUri": scoring_uri, "swaggerUri": None}


async def _list_keys(call: Call) -> Answer:
    message = (
        f"listkeys needs an endpoint with authMode Key; {call.resource.name!r} has AADToken: get a "
        "token for https://ml.azure.com."
    )
    raise ArmError("BadArgument", message)


def batch_endpoint(resources: Resources) -> Kind:
    """workspaces/batchEndpoints."""

    async def prepare(proposal: Proposal) -> Proposal:
        await refuse_taken_name(resources, BATCH_ENDPOINTS, proposal)
        refuse_unserved(proposal.properties, UNSERVED)
        properties = {key: value for key, value in proposal.properties.items() if key != "keys"}
        return dataclasses.replace(proposal, properties=properties)

    return Kind(
        resource_type="workspaces/batchEndpoints",
        name=ENDPOINT_NAME,
        properties=BatchEndpoint,
        wire=BATCH_ENDPOINT_WIRE,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        prepare=prepare,
        show=_show,
        has_operation_uri=True,
        actions={"listkeys": Action(perform=_list_keys)},
        watching=Watching(prefix="beidp"),
    )
