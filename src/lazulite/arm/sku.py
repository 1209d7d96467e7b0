"""The sku of a tracked resource. Source: spec/REST.md 7.1 (Sku)."""

from __future__ import annotations

import dataclasses
from typing import Literal

from pydantic import ValidationError

from lazulite.arm.faults import faulty
from lazulite.arm.kind import Properties, Proposal, model_dump
from lazulite.arm.names import canonical


class Sku(Properties):
    """What a caller can say of a sku."""

    name: str
    tier: Literal["Free", "Basic", "Standard", "Premium", "Enterprise", None] = None
    size: str | None = None
    family: str | None = None
    capacity: int | None = None


def with_sku(proposal: Proposal) -> Proposal:
    """The proposal with its sku in Azure's spelling. Raises ArmError 400."""
    given = proposal.envelope.get("sku")
    if given is None:
        return proposal
    said = given if isinstance(given, dict) else {"name": given}
    try:
        sku = Sku.model_validate(canonical(Sku, said))
    except ValidationError as error:
        raise faulty(error) from error
    shown = {key: value for key, value in model_dump(sku).items() if value is not None}
    return dataclasses.replace(proposal, envelope={**proposal.envelope, "sku": shown})
