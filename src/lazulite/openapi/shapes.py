"""The shape of resources: what a PUT says, and what an answer shows. Source: spec/REST.md 2.7."""

from __future__ import annotations

import dataclasses
from typing import Any

from lazulite.arm.kind import Kind, Properties, model_dump
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
    variants = {f"{title}.{name}": model for name, model in _models(kind).items()}
    properties = {
        name: schemas.in_version(schemas.of_model(model, name), kind.wire, version, name)
        for name, model in variants.items()
    }
    asked = [schemas.add(name, schema) for name, schema in properties.items()]
    envelope = {name: ENVELOPE[name] for name in ENVELOPE if name in kind.envelope}
    needed = all(schema.get("required") for schema in properties.values())
    return Shape(
        asked=_asked(envelope, _any_of(asked), needed=needed),
        shown=schemas.add(title, _shown(kind, envelope, list(properties.values()))),
        example=_example(kind, version),
    )


def _models(kind: Kind) -> dict[str, type[Properties]]:
    """By what the document calls them below the kind."""
    models = kind.properties.models()
    if len(models) == 1:
        return {"Properties": models[0]}
    return {model.__name__: model for model in models}


def _asked(envelope: Json, properties: Json, *, needed: bool) -> Json:
    required = [name for name in ("location",) if name in envelope]
    required += ["properties"] if needed else []
    return _object({**envelope, "properties": properties}, *required)


def _shown(kind: Kind, envelope: Json, properties: list[Json]) -> Json:
    if kind.shape is not None:
        return _object({"id": TEXT}, "id")
    state = {"provisioningState": TEXT} if kind.has_state else {}
    inner = [_object({**schema.get("properties", {}), **state}) for schema in properties]
    own = {"id": TEXT, "name": TEXT, "type": {"const": kind.shown_type}}
    whole = {**own, **envelope, "properties": _any_of(inner), "systemData": SYSTEM_DATA}
    return _object(whole, *own, "properties")


def _any_of(schemas: list[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _example(kind: Kind, version: str) -> Any:
    if kind.shown_type not in EXAMPLES:
        return None
    given = EXAMPLES[kind.shown_type]
    whole = model_dump(kind.properties.chosen(given).model_validate(given))
    said = kind.wire.write(whole, version)
    properties = {name: value for name, value in said.items() if value not in (None, {}, [])}
    location = {"location": "local"} if "location" in kind.envelope else {}
    return {**location, "properties": properties}


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}
