"""Online endpoints: one scoring URI, its keys, and the shares of traffic.

Source: spec/REST.md 7.6 and 8.0, spec/ONLINE.md 5.5, spec/CLIENTS.md 8.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, field_validator

from lazulite.arm.kind import ENDPOINT_NAME, Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.proposals import refuse_taken_name
from lazulite.core.errors import ArmError
from lazulite.core.ids import ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS
from lazulite.identity.endpoint_keys import EndpointKeys, EndpointTokens, KeyName
from lazulite.identity.sealing import SecretBox
from lazulite.operations.reconciler import Step
from lazulite.store.resources import Json, Resource, Resources

SOON = timedelta(milliseconds=100)


class OnlineEndpoint(Properties):
    """What a caller can say of an endpoint."""

    auth_mode: Literal["Key", "AMLToken", "AADToken"] = "Key"
    description: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    traffic: dict[str, int] = Field(default_factory=dict)
    mirror_traffic: dict[str, int] = Field(default_factory=dict)
    compute: str | None = None
    public_network_access: str = "Enabled"

    @field_validator("traffic", "mirror_traffic", mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: Any) -> Any:
        return value or {}

    @field_validator("traffic")
    @classmethod
    def _adds_up(cls, value: dict[str, int]) -> dict[str, int]:
        if any(not 0 <= share <= 100 for share in value.values()):
            raise ValueError("each share of traffic is 0 to 100")
        if sum(value.values()) not in {0, 100}:
            raise ValueError(f"shares of traffic add up to {sum(value.values())}, not 100 or 0")
        return value


@dataclasses.dataclass(frozen=True)
class OnlineEndpoints:
    """Checks, reconciles and answers for online endpoints."""

    resources: Resources
    box: SecretBox
    tokens: EndpointTokens
    publish: Callable[[], Awaitable[object]]
    """Makes the front door serve what the resource table says."""

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Refuse a name taken elsewhere; make the keys of a new endpoint."""
        await refuse_taken_name(self.resources, ONLINE_ENDPOINTS, proposal)
        if proposal.properties["authMode"] == "AADToken":
            message = "authMode AADToken is not served yet: use Key or AMLToken."
            raise ArmError("AuthModeNotSupported", message, target="authMode")
        if any(proposal.properties["mirrorTraffic"].values()):
            message = "mirrorTraffic is not served yet: leave it empty."
            raise ArmError("MirrorTrafficNotSupported", message, target="mirrorTraffic")
        if proposal.existing is not None:
            return proposal
        return dataclasses.replace(proposal, secrets=EndpointKeys.make(self.box).to_json())

    async def reconcile(self, endpoint: Resource) -> Step:
        """Let the front door serve it; a deletion waits until its deployments are gone."""
        if endpoint.deleting and await self.resources.children(endpoint.id, ONLINE_DEPLOYMENTS):
            return Step(observed=endpoint.observed, converged=False, after=SOON)
        await self.publish()
        return Step(observed=endpoint.observed, converged=True)

    async def list_keys(self, call: Call) -> Answer:
        """Both keys. Raises ArmError unless the endpoint uses keys."""
        self._must_be(call, "Key", "listKeys", "token")
        return Answer(body=_keys(call.resource).reveal(self.box))

    async def regenerate_keys(self, call: Call) -> Answer:
        """A new primary or secondary key; the other one stays valid. Source: CLIENTS.md 8."""
        self._must_be(call, "Key", "regenerateKeys", "token")
        which = str(call.body.get("keytype", "Primary")).capitalize()
        if which not in set(KeyName):
            message = f"keyType is {which!r}: it must be Primary or Secondary."
            raise ArmError("ValidationError", message, target="keyType")
        keys, value = _keys(call.resource), call.body.get("keyvalue")
        chosen = None if value is None or keys.accepts(value) else value  # clients send the old one
        changed = keys.regenerate(KeyName(which), self.box, chosen)
        await self.resources.reseal(call.resource.id, changed.to_json())
        await self.publish()
        return Answer(status=200)

    async def token(self, call: Call) -> Answer:
        """A token that only this endpoint takes. Raises ArmError unless it uses tokens."""
        self._must_be(call, "AMLToken", "token", "listKeys")
        return Answer(body=self.tokens.mint(call.resource.uid, call.actor))

    def _must_be(self, call: Call, mode: str, action: str, instead: str) -> None:
        if call.resource.properties["authMode"] != mode:
            raise ArmError(
                "BadArgument",
                f"{action} needs an endpoint with authMode {mode}; {call.resource.name!r} has "
                f"{call.resource.properties['authMode']}: use {instead}.",
            )


def online_endpoint(endpoints: OnlineEndpoints) -> Kind:
    """workspaces/onlineEndpoints."""
    return Kind(
        resource_type="workspaces/onlineEndpoints",
        name=ENDPOINT_NAME,
        properties=OnlineEndpoint,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        prepare=endpoints.prepare,
        reconcile=endpoints.reconcile,
        show=_show,
        has_operation_uri=True,
        actions={
            "listKeys": Action(perform=endpoints.list_keys),
            "regenerateKeys": Action(perform=endpoints.regenerate_keys),
            "token": Action(perform=endpoints.token),
        },
    )


def _keys(endpoint: Resource) -> EndpointKeys:
    return EndpointKeys.from_json(endpoint.secrets)


async def _show(endpoint: Resource, base: str) -> Json:
    return {
        "scoringUri": f"{base}/inference/{endpoint.name}/score",
        "swaggerUri": f"{base}/inference/{endpoint.name}/swagger.json",
    }
