"""The identity of a tracked resource: its type in any case, its ids for reading only.

The ids are made from the resource's own id and the tenant's, so that they never change; nothing
here can sign in with them. Source: spec/REST.md 7.1 (Identity) and 11.
"""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any, Literal

from pydantic import Field, ValidationError

from lazulite.arm.faults import faulty
from lazulite.arm.kind import Properties, Proposal
from lazulite.arm.names import canonical
from lazulite.core.ids import fold
from lazulite.store.resources import Json

IdentityType = Literal["None", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"]


class ManagedIdentity(Properties):
    """What a caller can say of an identity."""

    type_: IdentityType = Field(alias="type")
    user_assigned_identities: dict[str, dict[str, Any] | None] | None = None


def with_identity(proposal: Proposal, tenant_id: str) -> Proposal:
    """The proposal with its identity checked and completed. Raises ArmError 400."""
    given = proposal.envelope.get("identity")
    if given is None:
        return proposal
    return dataclasses.replace(
        proposal,
        envelope={**proposal.envelope, "identity": identity_of(given, proposal.id, tenant_id)},
    )


def identity_of(given: Any, owner: str, tenant_id: str) -> Json:
    """The identity of a resource as it is shown. Raises ArmError 400."""
    said = given if isinstance(given, dict) else {"type": given}
    said = {key: _compact(item) for key, item in said.items()}
    try:
        identity = ManagedIdentity.model_validate(canonical(ManagedIdentity, said))
    except ValidationError as error:
        raise faulty(error) from error
    shown: Json = {"type": identity.type_}
    if "SystemAssigned" in identity.type_:
        shown |= {"principalId": _guid(owner), "tenantId": tenant_id}
    if "UserAssigned" in identity.type_.split(",") or identity.user_assigned_identities:
        named = identity.user_assigned_identities or {}
        shown["userAssignedIdentities"] = {
            key: {"principalId": _guid(key), "clientId": _guid(f"{key}#client")} for key in named
        }
    return shown


def _compact(item: Any) -> Any:
    """Callers put a space after the comma of two types."""
    return item.replace(" ", "") if isinstance(item, str) else item


def _guid(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, fold(text)))
