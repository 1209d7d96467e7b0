"""From the body of a PUT or PATCH to a validated proposal."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from lazulite.arm.faults import faulty
from lazulite.arm.kind import Kind, Proposal, model_dump
from lazulite.arm.names import canonical
from lazulite.arm.requests import ArmRequest
from lazulite.arm.wire import overlaid
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold, name_of
from lazulite.store.resources import Json, Resource, Resources


class Envelope(BaseModel):
    """What resources may have beside their properties. Source: spec/REST.md 2.7."""

    model_config = ConfigDict(coerce_numbers_to_str=True)
    location: str | None = None
    tags: dict[str, str] | None = None
    kind: str | None = None
    sku: dict[str, Any] | None = None
    identity: dict[str, Any] | None = None

    @field_validator("tags", mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None}


def propose(
    kind: Kind,
    request: ArmRequest,
    body: Json,
    existing: Resource | None,
    actor: str,
    *,
    merge: bool = False,
) -> Proposal:
    """Validate a body against its kind; merge: PATCH semantics. Raises ArmError 400."""
    check_name(kind, request.address.names[-1])
    given = {} if body.get("properties") is None else body["properties"]
    if not isinstance(given, dict):
        raise ArmError("InvalidRequestContent", "properties is not an object.", target="properties")
    given = kind.wire.read(given, request.version)
    before = existing.properties if merge and existing is not None else {}
    given = canonical(kind.properties.chosen({**before, **given}), given)
    if existing is not None:
        given |= kind.wire.kept(existing.properties, given, request.version)
        given = overlaid(kind.wire.hidden(existing.properties, request.version), given)
    envelope = enveloped({key: body[key] for key in kind.envelope if body.get(key) is not None})
    if merge and existing is not None:
        given = merged(existing.properties, given)
        envelope = {**existing.envelope, **envelope}
    if "location" in kind.envelope and not envelope.get("location"):
        message = "The location property is required for this definition."
        raise ArmError("LocationRequired", message, target="location")
    return Proposal(
        id=request.address.id,
        properties=validated(kind, given),
        envelope=envelope,
        secrets={},
        existing=existing,
        actor=actor,
        query=request.query,
        given=given,
    )


def enveloped(given: Json) -> Json:
    """What stands beside properties, with its types. Raises ArmError 400."""
    try:
        return Envelope.model_validate(given).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise faulty(error) from error


def check_name(kind: Kind, name: str) -> None:
    """Raise ArmError 400 for what no resource of the kind can be called."""
    if not kind.name.fullmatch(name):
        raise ArmError(
            "InvalidResourceName",
            f"{name!r} is no name for {kind.full_type}: it must match {kind.name.pattern}.",
            target="name",
        )


def validated(kind: Kind, given: Json) -> Json:
    """The properties in their internal form. Raises ArmError with a detail for each fault."""
    try:
        return model_dump(kind.properties.chosen(given).model_validate(given))
    except ValidationError as error:
        raise faulty(error) from error


def refuse_changes(kind: Kind, proposal: Proposal) -> None:
    """Raise ArmError 409 if a property changes that cannot. Source: spec/REST.md 2.7."""
    if proposal.existing is None:
        return
    before = proposal.existing.properties
    for key in sorted(kind.fixed):
        if before.get(key) != proposal.properties.get(key):
            raise ArmError(
                "ImmutablePropertyChanged",
                f"{key} of {proposal.existing.id!r} is {before.get(key)!r} and cannot become "
                f"{proposal.properties.get(key)!r}: write a new version instead.",
                409,
                target=key,
            )


async def refuse_taken_name(resources: Resources, full_type: str, proposal: Proposal) -> None:
    """Raise ArmError 409 if another workspace has the name, which is part of a scoring URI."""
    name = name_of(proposal.id)
    for other in await resources.named(full_type, name):
        if other.key != fold(proposal.id):
            raise ArmError(
                "Conflict",
                f"The endpoint name {name!r} is taken by {other.id!r}: names are unique on a "
                "server, as they are part of the scoring URI.",
                409,
            )


def merged(before: Any, change: Any) -> Any:
    """JSON merge: given names replace, null removes, absent ones stay."""
    if not isinstance(before, dict) or not isinstance(change, dict):
        return change
    kept = {key: item for key, item in before.items() if key not in change}
    new = {key: merged(before.get(key), item) for key, item in change.items() if item is not None}
    return {**kept, **new}
