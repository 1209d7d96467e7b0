"""The shape of resources: what a PUT says, and what an answer shows. Source: spec/REST.md 2.7."""

from __future__ import annotations

import dataclasses
from typing import Any

from lazulite.arm.kind import Kind, model_dump
from lazulite.openapi.examples import EXAMPLES
from lazulite.openapi.naming import title_of
from lazulite.openapi.operations import Json
from lazulite.openapi.schemas import Schemas

TEXT: Json = {"type": "string"}
MOMENT: Json = {"type": "string", "format": "date-time"}
ENVELOPE: dict[str, Json] = {
    "location": TEXT,
    "tags": {"type": "object", "additionalProperties": TEXT},
    "kind": {"type": ["string", "null"]},
    "sku": {"type": ["object", "null"]},
    "identity": {"type": ["object", "null"]},
}
SYSTEM_DATA: Json = {
    "type": "object",
    "properties": {
        "createdAt": MOMENT,
        "createdBy": TEXT,
        "createdByType": TEXT,
        "lastModifiedAt": MOMENT,
        "lastModifiedBy": TEXT,
        "lastModifiedByType": TEXT,
    },
}


@dataclasses.dataclass(frozen=True)
class Shape:
    """A kind's schemas in one version."""

    asked: Json
    """The body of a PUT."""
    shown: Json
    """The resource in an answer, which may have more than what is listed."""
    example: Any
    """A body of a PUT that works, if what it names is there; None: there is no PUT."""


def shape_of(kind: Kind, version: str, schemas: Schemas) -> Shape:
    """Describe a kind; what the description refers to is added to the schemas."""
    title = title_of(kind)
    model = schemas.of_model(kind.properties, title)
    properties = schemas.in_version(model, kind.wire, version, title)
    envelope = {name: ENVELOPE[name] for name in ENVELOPE if name in kind.envelope}
    return Shape(
        asked=_asked(envelope, schemas.add(f"{title}.Properties", properties), properties),
        shown=schemas.add(title, _shown(kind, envelope, properties)),
        example=_example(kind, version),
    )


def _asked(envelope: Json, reference: Json, properties: Json) -> Json:
    required = [name for name in ("location",) if name in envelope]
    needed = ["properties"] if properties.get("required") else []
    return _object({**envelope, "properties": reference}, *required, *needed)


def _shown(kind: Kind, envelope: Json, properties: Json) -> Json:
    if kind.shape is not None:
        return _object({"id": TEXT}, "id")
    state = {"provisioningState": TEXT} if kind.has_state else {}
    inner = _object({**properties.get("properties", {}), **state})
    own = {"id": TEXT, "name": TEXT, "type": {"const": kind.shown_type}}
    whole = {**own, **envelope, "properties": inner, "systemData": SYSTEM_DATA}
    return _object(whole, *own, "properties")


def _example(kind: Kind, version: str) -> Any:
    if kind.shown_type not in EXAMPLES:
        return None
    whole = model_dump(kind.properties.model_validate(EXAMPLES[kind.shown_type]))
    said = kind.wire.write(whole, version)
    properties = {name: value for name, value in said.items() if value not in (None, {}, [])}
    location = {"location": "local"} if "location" in kind.envelope else {}
    return {**location, "properties": properties}


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}
