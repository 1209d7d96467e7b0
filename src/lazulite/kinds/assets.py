"""Assets: codes, models, environments, data. A name holds versions; a version does not change.

Source: spec/REST.md 5 and 7.4; what clients need of them: spec/CLIENTS.md 7 and 14.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from lazulite.arm.kind import ASSET_NAME, Kind, Properties
from lazulite.arm.wire import Renamed, Respelled, Wire
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

    @field_validator("model_type")
    @classmethod
    def _spelled(cls, given: str) -> str:
        """The types that Azure names, in any case and with or without underscores."""
        known = {name.replace("_", ""): name for name in LONG}
        return known.get(given.casefold().replace("_", ""), given)


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
LONG = {"custom_model": "CustomModel", "mlflow_model": "MLFlowModel", "triton_model": "TritonModel"}
MODEL_WIRE = Wire(
    (
        Renamed("modelType", "modelFormat", until="2021-10-01"),
        Respelled("modelType", FORMATS, until="2021-10-01"),
        Respelled("modelType", LONG, since="2022-02-01", until="2022-02-01"),
    )
)


def assets(resources: Resources) -> tuple[Kind, ...]:
    """The containers and versions of every asset type."""
    return tuple(kind for version in VERSIONS for kind in (_container(version, resources), version))


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
    dataclasses.replace(_version("models", Model, "modelUri", "modelType"), wire=MODEL_WIRE),
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
