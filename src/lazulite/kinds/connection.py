"""workspaces/connections: addresses outside, and how to get in. Credentials are sealed.

Source: spec/rest, WorkspaceConnectionProps (to 2022-02) and WorkspaceConnectionPropertiesV2.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Literal

from lazulite.arm.envelope import system_data
from lazulite.arm.kind import Action, Answer, Call, Kind, Properties, Proposal
from lazulite.arm.listing import Listing, exactly, same
from lazulite.arm.wire import Unknown, Wire
from lazulite.core.errors import ArmError
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource

SEALED = "connection"
CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "None": (),
    "AAD": (),
    "ManagedIdentity": ("resourceId", "clientId"),
    "PAT": ("pat",),
    "SAS": ("sas",),
    "UsernamePassword": ("username", "password", "securityToken"),
    "AccessKey": ("accessKeyId", "secretAccessKey"),
    "AccountKey": ("key",),
    "ApiKey": ("key",),
    "CustomKeys": ("keys",),
    "ServicePrincipal": ("clientId", "clientSecret", "tenantId"),
    "OAuth2": (
        *("authUrl", "clientId", "clientSecret", "tenantId"),
        *("developerToken", "refreshToken", "username", "password"),
    ),
}
"""What credentials hold, by authType."""
OPEN = frozenset({"None", "AAD", "ManagedIdentity"})
"""Those without a secret."""
AuthType = Literal[
    "None",
    "AAD",
    "ManagedIdentity",
    "PAT",
    "SAS",
    "UsernamePassword",
    "AccessKey",
    "AccountKey",
    "ApiKey",
    "CustomKeys",
    "ServicePrincipal",
    "OAuth2",
]
WIRE = Wire(
    (
        Unknown(("credentials",), until="2022-04-30"),
        Unknown(("expiryTime",), until="2023-03-31"),
        Unknown(("metadata",), until="2023-05-31"),
        Unknown(("isSharedToAll",), until="2023-07-31"),
        Unknown(("sharedUserList",), until="2023-12-31"),
    )
)


class Connection(Properties):
    """What is where. value: the credentials as versions before 2022-05-01 write them."""

    auth_type: AuthType
    category: str | None = None
    target: str | None = None
    credentials: dict[str, Any] | None = None
    value: str | None = None
    value_format: Literal["JSON"] | None = None
    expiry_time: str | None = None
    metadata: dict[str, Any] | None = None
    is_shared_to_all: bool = False
    shared_user_list: list[str] | None = None


def connection(box: SecretBox) -> Kind:
    """A record; its credentials are shown by listSecrets only. A PUT without any keeps them."""

    async def prepare(proposal: Proposal) -> Proposal:
        return _sealed(proposal, box)

    async def list_secrets(call: Call) -> Answer:
        found = call.resource
        shown = {**found.properties, **_opened(found, box)}
        head = {"id": found.id, "name": found.name, "type": found.resource_type}
        return Answer(body={**head, "properties": shown, "systemData": system_data(found)})

    return Kind(
        resource_type="workspaces/connections",
        properties=Connection,
        prepare=prepare,
        wire=WIRE,
        has_state=False,
        created=200,
        listing=Listing(filters={"category": same("category"), "target": exactly("target")}),
        actions={"listSecrets": Action(perform=list_secrets)},
        since="2020-06-01",
    )


def _sealed(proposal: Proposal, box: SecretBox) -> Proposal:
    """Move what is secret out of the properties. Raises ArmError 400 if there is none at all."""
    properties, secret = _parted(proposal.properties)
    auth_type = properties["authType"]
    known = _known(proposal.existing, auth_type, box)
    wanted = {**(known or {}), **secret}
    if not wanted and auth_type not in OPEN:
        names = " or ".join(f"credentials.{name}" for name in CREDENTIALS[auth_type])
        message = f"A connection with authType {auth_type!r} has no {names}, and no value."
        raise ArmError("ValidationError", message, target="properties.credentials")
    changed = {} if wanted == known else {SEALED: box.seal(json.dumps(wanted).encode())}
    return dataclasses.replace(proposal, properties=properties, secrets=changed)


def _parted(given: Json) -> tuple[Json, Json]:
    """What may be shown, and what is sealed."""
    named = _named(given["authType"], given["credentials"] or {})
    is_open = given["authType"] in OPEN
    shown = {**given, "credentials": named if is_open and named else None, "value": None}
    secret = {"credentials": None if is_open else named, "value": given["value"]}
    return shown, {name: value for name, value in secret.items() if value}


def _known(before: Resource | None, auth_type: str, box: SecretBox) -> Json | None:
    """The secrets that stay unless new ones come; None if there is nothing of that type yet."""
    if before is None or before.properties["authType"] != auth_type:
        return None
    return _opened(before, box)


def _named(auth_type: str, given: Mapping[str, Any]) -> Json:
    """The credentials that the type has, as Azure spells them; others are ignored."""
    known = {name.casefold(): name for name in CREDENTIALS[auth_type]}
    return {
        known[name.casefold()]: value
        for name, value in given.items()
        if name.casefold() in known and value is not None
    }


def _opened(found: Resource, box: SecretBox) -> Json:
    text = found.secrets.get(SEALED)
    opened: Json = json.loads(box.open(text)) if text else {}
    return opened
