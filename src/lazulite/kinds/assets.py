"""Assets: codes, models, environments, data. A name holds versions; a version does not change.

Source: spec/REST.md 5 and 7.4; what clients need of them: spec/CLIENTS.md 7 and 14.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from lazulite.arm.kind import ASSET_NAME, Kind, Properties, View
from lazulite.store.resources import Json, Resource, Resources


class Asset(Properties):
    """What all asset versions have."""

    description: str | None = None
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    is_anonymous: bool = False
    is_archived: bool = False


class Container(Properties):
    """An asset's name."""

    description: str | None = None
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    is_archived: bool = False


class Code(Asset):
    """A folder of scripts."""

    code_uri: str


class Model(Asset):
    """A file or folder of model weights."""

    model_uri: str
    model_type: str = "custom_model"
    flavors: dict[str, Any] = Field(default_factory=dict)
    job_name: str | None = None


class BuildContext(Properties):
    """A folder with a Dockerfile."""

    context_uri: str
    dockerfile_path: str = "Dockerfile"


class Environment(Asset):
    """What scripts run in."""

    conda_file: str | None = None
    image: str | None = None
    build: BuildContext | None = None
    os_type: str = "Linux"
    inference_config: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_preview(cls, given: Any) -> Any:
        """Also read docker.dockerImageUri of 2021-03-01-preview."""
        docker = given.get("docker") if isinstance(given, Mapping) else None
        if not isinstance(docker, Mapping):
            return given
        folded = {key.lower(): value for key, value in docker.items()}
        return {**given, "image": given.get("image") or folded.get("dockerimageuri")}


class Data(Asset):
    """Files to read."""

    data_uri: str
    data_type: str = "uri_folder"
    referenced_uris: list[str] | None = None


FORMATS = {"custom_model": "Custom", "mlflow_model": "MLFlow", "triton_model": "Triton"}
TYPES = {text.casefold(): name for name, text in FORMATS.items()}


def assets(resources: Resources) -> tuple[Kind, ...]:
    """The containers and versions of every asset type."""
    return tuple(kind for version in VERSIONS for kind in (_container(version, resources), version))


def model_view(version: str) -> View:
    """Up to 2021-10-01 a model has modelFormat, later modelType. Source: spec/REST.md 5."""
    if version[:10] > "2021-10-01":
        return View(read=_read_model, write=lambda properties: properties)
    return View(read=_read_model, write=_write_model)


def _read_model(given: Json) -> Json:
    written = {key.lower(): value for key, value in given.items()}
    if not written.keys() & {"modelformat", "modeltype"}:
        return given
    text = written.get("modelformat") or written.get("modeltype") or "custom_model"
    known = TYPES.get(str(text).casefold()) or str(text)
    return {**given, "modelType": {"CustomModel": "custom_model"}.get(known, known)}


def _write_model(properties: Json) -> Json:
    kept = {key: value for key, value in properties.items() if key != "modelType"}
    model_type = properties.get("modelType", "custom_model")
    return {**kept, "modelFormat": FORMATS.get(model_type, model_type)}


def _version(plural: str, properties: type[Asset], *fixed: str) -> Kind:
    return Kind(
        resource_type=f"workspaces/{plural}/versions",
        properties=properties,
        name=ASSET_NAME,
        fixed=frozenset(fixed),
        has_state=False,
    )


VERSIONS = (
    _version("codes", Code, "codeUri"),
    dataclasses.replace(_version("models", Model, "modelUri", "modelType"), views=model_view),
    _version("environments", Environment, "condaFile", "image", "build"),
    _version("data", Data, "dataUri", "dataType"),
)


def _container(version: Kind, resources: Resources) -> Kind:
    async def show(container: Resource, base: str) -> Json:
        """Which version is the latest, and which would be next."""
        found = await resources.children(container.id, version.full_type)
        numbers = [int(item.name) for item in found if item.name.isdigit()]
        latest = found[-1].name if found else None
        return {"latestVersion": latest, "nextVersion": str(max(numbers, default=0) + 1)}

    return Kind(
        resource_type=version.resource_type.rpartition("/")[0],
        properties=Container,
        name=ASSET_NAME,
        made_by_versions=True,
        has_state=False,
        show=show,
    )
