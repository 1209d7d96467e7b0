"""Online endpoints: one scoring URI, its keys, and the shares of traffic.

Source: spec/REST.md 7.6 and 8.0, spec/ONLINE.md 5.5, spec/CLIENTS.md 8.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Literal

from pydantic import Field, field_validator, model_validator

from lazulite.arm.bodies import read_form
from lazulite.arm.kind import ENDPOINT_NAME, Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.listing import Listing, by_names, pairs
from lazulite.arm.proposals import refuse_taken_name
from lazulite.arm.watching import Watching
from lazulite.arm.wire import Renamed, Unknown, Wire
from lazulite.core.errors import ArmError
from lazulite.core.ids import ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS
from lazulite.deployments.endpoint_properties import (
    BEFORE_OCTOBER_2021,
    ENDPOINT_ID_KEY,
    AuthMode,
    EndpointProperties,
)
from lazulite.deployments.unserved import Unserved, refuse_unserved
from lazulite.identity.endpoint_keys import EndpointKeys, EndpointTokens, KeyName
from lazulite.identity.sealing import SecretBox
from lazulite.operations.reconciler import Step
from lazulite.serving.routing import MOST_MIRRORED
from lazulite.store.pages import ROW
from lazulite.store.resources import Json, Resource, Resources

LISTING = Listing(
    filters={
        "name": by_names,
        "computetype": lambda text: (
            ROW.properties["compute"].as_string().is_(None) == (text.lower() == "managed")
        ),
        "tags": pairs("tags", top=True),
        "properties": pairs("properties"),
    }
)
INSTEAD = {
    "Key": "use listKeys",
    "AMLToken": "use token",
    "AADToken": "get an access token for https://ml.azure.com from the token endpoint",
}
"""How to get what opens an endpoint, by authMode."""
SOON = timedelta(milliseconds=100)


class OnlineEndpoint(EndpointProperties):
    """What a caller can say of an endpoint."""

    auth_mode: AuthMode
    traffic: dict[str, int] = Field(default_factory=dict)
    mirror_traffic: dict[str, int] = Field(default_factory=dict)
    compute: str | None = None
    public_network_access: Literal["Enabled", "Disabled"] = "Enabled"

    @field_validator("traffic", "mirror_traffic")
    @classmethod
    def _are_shares(cls, value: dict[str, int]) -> dict[str, int]:
        if any(not 0 <= share <= 100 for share in value.values()):
            raise ValueError("each share of traffic is 0 to 100")
        if len({name.casefold() for name in value}) < len(value):
            raise ValueError("one deployment is named twice: names compare without case")
        return value

    @field_validator("traffic")
    @classmethod
    def _adds_up(cls, value: dict[str, int]) -> dict[str, int]:
        if sum(value.values()) not in {0, 100}:
            raise ValueError(f"shares of traffic add up to {sum(value.values())}, not 100 or 0")
        return value

    @field_validator("mirror_traffic")
    @classmethod
    def _is_at_most_half_to_one(cls, value: dict[str, int]) -> dict[str, int]:
        mirrored = sorted(name for name, share in value.items() if share)
        if len(mirrored) > 1:
            raise ValueError(f"requests are mirrored to one deployment, not to {mirrored}")
        if sum(value.values()) > MOST_MIRRORED:
            raise ValueError(
                f"{sum(value.values())} % of the requests are to be mirrored: the most is "
                f"{MOST_MIRRORED}"
            )
        return value

    @model_validator(mode="after")
    def _mirrors_to_one_without_traffic(self) -> OnlineEndpoint:
        live = {name.casefold(): share for name, share in self.traffic.items()}
        for name, mirrored in self.mirror_traffic.items():
            if mirrored and (share := live.get(name.casefold())):
                raise ValueError(
                    f"mirrorTraffic names {name!r}, which takes {share} % of the traffic: a "
                    "deployment has live or mirrored requests, so set one of the two to 0"
                )
        return self


ONLINE_ENDPOINT_WIRE = Wire(
    (
        Unknown(("mirrorTraffic", "publicNetworkAccess"), until="2022-01-31"),
        Unknown(("mirrorTraffic", "publicNetworkAccess"), since="2022-02-02", until="2022-09-30"),
        Renamed("compute", "target", until=BEFORE_OCTOBER_2021),
    )
)
UNSERVED = (
    Unserved(
        "compute",
        "KubernetesNotSupported",
        "endpoints run on this server, not on a cluster: leave it out",
    ),
    Unserved(
        "publicNetworkAccess",
        "NetworkIsolationNotSupported",
        "leave it Enabled, and choose with `lazulite up --host` who reaches the server",
        ("Disabled",),
    ),
)


class KeyChoice(Properties):
    """The body of regenerateKeys."""

    key_type: KeyName
    key_value: str | None = None


@dataclasses.dataclass(frozen=True)
class OnlineEndpoints:
    """Checks, reconciles and answers for online endpoints."""

    resources: Resources
    box: SecretBox
    tokens: EndpointTokens
    publish: Callable[[], Awaitable[object]]
    """Makes the front door serve what the resource table says."""

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Refuse a name taken elsewhere; seal the keys of a new endpoint, given or made.

        Keys that are given for an endpoint that is there change nothing, as in Azure.
        """
        await refuse_taken_name(self.resources, ONLINE_ENDPOINTS, proposal)
        refuse_unserved(proposal.properties, UNSERVED)
        properties = {key: value for key, value in proposal.properties.items() if key != "keys"}
        proposed = dataclasses.replace(proposal, properties=properties)
        if proposal.existing is not None:
            return proposed
        keys = self._new_keys(proposal.properties.get("keys") or {})
        return dataclasses.replace(proposed, secrets=keys.to_json())

    async def reconcile(self, endpoint: Resource) -> Step:
        """Let the front door serve it; a deletion waits until its deployments are gone."""
        if endpoint.deleting and await self.resources.children(endpoint.id, ONLINE_DEPLOYMENTS):
            return Step(observed=endpoint.observed, converged=False, after=SOON)
        await self.publish()
        return Step(observed=endpoint.observed, converged=True)

    async def list_keys(self, call: Call) -> Answer:
        """Both keys. Raises ArmError unless the endpoint uses keys."""
        _must_be(call, "Key", "listKeys")
        return Answer(body=_keys(call.resource).reveal(self.box))

    async def regenerate_keys(self, call: Call) -> Answer:
        """A new primary or secondary key; the other one stays valid. Source: CLIENTS.md 8."""
        _must_be(call, "Key", "regenerateKeys")
        asked = read_form(KeyChoice, call.body)
        await self.resources.reseal(call.resource.id, partial(self._regenerated, asked))
        await self.publish()
        return Answer(status=200)

    async def token(self, call: Call) -> Answer:
        """A token that only this endpoint takes. Raises ArmError unless it uses tokens."""
        _must_be(call, "AMLToken", "token")
        return Answer(body=self.tokens.mint(call.resource.uid, call.actor))

    def _regenerated(self, asked: KeyChoice, secrets: Json) -> Json:
        keys, value = EndpointKeys.from_json(secrets), asked.key_value
        chosen = None if value is None or keys.accepts(value) else value  # clients send the old one
        return keys.regenerate(asked.key_type, self.box, chosen).to_json()

    def _new_keys(self, given: Json) -> EndpointKeys:
        keys = EndpointKeys.make(self.box)
        for name in KeyName:
            if value := given.get(f"{name.value.lower()}Key"):
                keys = keys.regenerate(name, self.box, value)
        return keys


def online_endpoint(endpoints: OnlineEndpoints) -> Kind:
    """workspaces/onlineEndpoints."""
    return Kind(
        resource_type="workspaces/onlineEndpoints",
        name=ENDPOINT_NAME,
        properties=OnlineEndpoint,
        wire=ONLINE_ENDPOINT_WIRE,
        envelope=frozenset({"location", "tags", "kind", "sku", "identity"}),
        prepare=endpoints.prepare,
        reconcile=endpoints.reconcile,
        show=_show,
        has_operation_uri=True,
        watching=Watching(prefix="oeidp"),
        listing=LISTING,
        actions={
            "listKeys": Action(perform=endpoints.list_keys),
            "regenerateKeys": Action(
                perform=endpoints.regenerate_keys, form=KeyChoice, shows=False
            ),
            "token": Action(perform=endpoints.token),
        },
    )


def _must_be(call: Call, mode: str, action: str) -> None:
    has = call.resource.properties["authMode"]
    if has != mode:
        raise ArmError(
            "BadArgument",
            f"{action} needs an endpoint with authMode {mode}; {call.resource.name!r} has {has}: "
            f"{INSTEAD[has]}.",
        )


def _keys(endpoint: Resource) -> EndpointKeys:
    return EndpointKeys.from_json(endpoint.secrets)


async def _show(endpoint: Resource, base: str) -> Json:
    return {
        "keys": None,
        "scoringUri": f"{base}/inference/{endpoint.name}/score",
        "swaggerUri": f"{base}/inference/{endpoint.name}/swagger.json",
        "properties": {**endpoint.properties["properties"], ENDPOINT_ID_KEY: endpoint.id},
    }
