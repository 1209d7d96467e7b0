"""Schemas of pydantic models as components, and what api-versions make of them.

A schema is what callers send; answers have the same properties and more, so their schema asks for
none. That names and enum values are read in any case is not said: a document shows one spelling.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from lazulite.arm.wire import Renamed, Reshaped, Respelled, Row, Unknown, Wire

Json = dict[str, Any]
PLACE = "#/components/schemas/"


class _Untitled(GenerateJsonSchema):
    """Without titles, which only repeat names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """Without the class's name, which the component has."""
        return {key: value for key, value in super().model_schema(schema).items() if key != "title"}


class Schemas:
    """components/schemas, collected while operations are described."""

    def __init__(self) -> None:
        self.found: Json = {}

    def add(self, name: str, schema: Json) -> Json:
        """Keep a schema; the reference to it. Raises ValueError if the name is another one's."""
        if self.found.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are called {name!r}")
        return {"$ref": PLACE + name}

    def of_model(self, model: type[BaseModel], name: str) -> Json:
        """The model's schema by itself; what it refers to becomes components below the name."""
        schema = model.model_json_schema(
            by_alias=True, ref_template=f"{PLACE}{name}.{{model}}", schema_generator=_Untitled
        )
        for part, definition in schema.pop("$defs", {}).items():
            self.add(f"{name}.{part}", definition)
        return schema

    def in_version(self, schema: Json, wire: Wire, version: str, name: str) -> Json:
        """The schema of a kind's properties as a version has them."""
        for row in wire.rows:
            if row.since <= version[:10] <= row.until:
                schema = self._changed(schema, row, name)
        return schema

    def _changed(self, schema: Json, row: Row, name: str) -> Json:
        properties = dict(schema.get("properties", {}))
        required = list(schema.get("required", ()))
        if isinstance(row, Unknown):
            properties = {key: properties[key] for key in properties if key not in row.names}
        elif isinstance(row, Renamed):
            properties = _renamed(properties, row)
            required = [row.called if key == row.name else key for key in required]
        elif isinstance(row, Respelled) and row.name in properties:
            properties[row.name] = _respelled(properties[row.name], row)
        elif isinstance(row, Reshaped):
            properties |= self.of_model(row.form, f"{name}.{row.form.__name__}")["properties"]
            required = []  # what the internal form needs may come in another arrangement
        kept = [key for key in required if key in properties]
        return {**schema, "properties": properties, "required": kept}


def _renamed(properties: Json, row: Renamed) -> Json:
    return {row.called if key == row.name else key: properties[key] for key in properties}


def _respelled(schema: Json, row: Respelled) -> Json:
    if "enum" not in schema:
        return schema
    spelled = {**schema, "enum": [row.spellings.get(value, value) for value in schema["enum"]]}
    if "default" in schema:
        spelled["default"] = row.spellings.get(schema["default"], schema["default"])
    return spelled
