"""Models as modelmanagement/v1.0 shows them; they are ARM's model versions.

What ARM has no field for is kept among the model's properties under names of this service's own.
Source: spec/REST.md 9.4, spec/CLIENTS.md 13.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lazulite.arm.envelope import timestamp
from lazulite.core.ids import name_of
from lazulite.store.resources import Json, Resource

OWN = "modelmanagement."
KEPT = ("url", "mimeType", "framework", "frameworkVersion", "parentModelId", "experimentName")
DEFAULT_TYPE = "application/json"


class Form(BaseModel):
    """A body: camelCase on the wire; unknown names are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", protected_namespaces=()
    )


class DatasetReference(Form):
    """A dataset that a model was made with."""

    name: str | None = None
    id: str | None = None


class NewModel(Form):
    """A model to register; its id and version are for the service to choose."""

    name: str
    url: str
    mime_type: str = DEFAULT_TYPE
    description: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    unpack: bool = False
    parent_model_id: str | None = None
    run_id: str | None = None
    experiment_name: str | None = None
    datasets: list[DatasetReference] = Field(default_factory=list)
    kv_tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, str | None] = Field(default_factory=dict)


def to_version(model: NewModel, model_uri: str) -> Json:
    """The properties of the ARM version. model_uri: where its url leads."""
    said = model.model_dump(mode="json", by_alias=True)
    kept = {name: said[name] for name in KEPT if said[name]}
    if model.unpack:
        kept["unpack"] = "true"
    if model.datasets:
        kept["datasets"] = json.dumps(said["datasets"])
    return {
        "modelUri": model_uri,
        "description": model.description,
        "jobName": model.run_id,
        "tags": dict(model.kv_tags),
        "properties": {**model.properties, **{OWN + key: kept[key] for key in kept}},
    }


def show_model(row: Resource) -> Json:
    """The model that an ARM version is. Every list is one: clients count on it."""
    said = row.properties
    kept = {key.removeprefix(OWN): value for key, value in reserved_properties(row).items()}
    return {
        "id": model_id(row),
        "name": name_of_model(row),
        "version": int(row.name) if row.name.isdigit() else None,
        "url": kept.get("url", said["modelUri"]),
        "mimeType": kept.get("mimeType", DEFAULT_TYPE),
        "unpack": kept.get("unpack") == "true",
        "framework": kept.get("framework"),
        "frameworkVersion": kept.get("frameworkVersion"),
        "description": said.get("description"),
        "runId": said.get("jobName"),
        "experimentName": kept.get("experimentName"),
        "parentModelId": kept.get("parentModelId"),
        "derivedModelIds": [],
        "datasets": _datasets(kept.get("datasets")),
        "kvTags": said.get("tags") or {},
        "properties": own_properties(row),
        "createdTime": timestamp(row.created_at),
        "modifiedTime": timestamp(row.modified_at),
        "createdBy": {"userObjectId": row.created_by, "userName": row.created_by},
        "sampleInputData": None,
        "sampleOutputData": None,
        "resourceRequirements": None,
    }


def own_properties(row: Resource) -> Json:
    """The properties that callers gave."""
    said: Json = row.properties.get("properties") or {}
    return {key: value for key, value in said.items() if not key.startswith(OWN)}


def reserved_properties(row: Resource) -> Json:
    """Those that this service keeps there."""
    said: Json = row.properties.get("properties") or {}
    return {key: value for key, value in said.items() if key.startswith(OWN)}


def model_id(row: Resource) -> str:
    """Such as "forest:3"."""
    return f"{name_of_model(row)}:{row.name}"


def name_of_model(row: Resource) -> str:
    """The name that its versions share."""
    return name_of(row.id.rpartition("/versions/")[0])


def _datasets(text: Any) -> list[Any]:
    """As they were kept; ARM's callers may have written anything there."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, TypeError):
        return []
    return found if isinstance(found, list) else []
