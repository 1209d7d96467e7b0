"""workspaces/environments: what scripts run in. Source: spec/REST.md 7.4, CLIENTS.md 7.3."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lazulite.arm.assets import DONE, FIRST, STABLE, STAGED, Asset, AssetType, kinds_of
from lazulite.arm.kind import Kind, Properties
from lazulite.arm.wire import Renamed, Reshaped, Unknown
from lazulite.deployments.pending_uploads import PendingUploads
from lazulite.store.resources import Json, Resources

OsType = Literal["Linux", "Windows"]


class BuildContext(Properties):
    """A folder with a Dockerfile."""

    context_uri: str = Field(min_length=1)
    dockerfile_path: str = "Dockerfile"


class Route(Properties):
    """Where a container answers."""

    path: str
    port: int


class InferenceContainer(Properties):
    """The routes of an image that brings its own server."""

    liveness_route: Route | None = None
    readiness_route: Route | None = None
    scoring_route: Route | None = None


class Environment(Asset):
    """What scripts run in."""

    conda_file: str | None = None
    image: str | None = None
    build: BuildContext | None = None
    os_type: OsType = "Linux"
    inference_config: InferenceContainer | None = None
    auto_rebuild: Literal["Disabled", "OnBaseImageUpdate"] = "Disabled"
    stage: str | None = None
    dockerfile: str | None = None
    """The text of a Dockerfile, which only 2021-03-01-preview takes."""


class Platform(Properties):
    """What an image is for."""

    operating_system_type: OsType = "Linux"


class Docker(Properties):
    """An image, or the text of a Dockerfile with its context. Source: spec/REST.md 7.4."""

    docker_specification_type: Literal["Image", "Build"] | None = None
    platform: Platform = Field(default_factory=Platform)
    docker_image_uri: str | None = None
    dockerfile: str | None = None
    context: str | None = None


class Dockered(Properties):
    """The part of 2021-03-01-preview that later versions arrange otherwise."""

    docker: Docker | None = None


def _to_internal(form: Dockered) -> Json:
    docker = form.docker or Docker()
    return {
        "image": docker.docker_image_uri,
        "dockerfile": docker.dockerfile,
        "build": {"contextUri": docker.context} if docker.context else None,
        "osType": docker.platform.operating_system_type if form.docker else None,
    }


def _to_theirs(properties: Json) -> Json:
    moved = ("image", "dockerfile", "build", "osType")
    rest = {name: value for name, value in properties.items() if name not in moved}
    return {**rest, "docker": _docker(properties)}


def _docker(properties: Json) -> Json | None:
    platform = {"platform": {"operatingSystemType": properties.get("osType")}}
    if image := properties.get("image"):
        return {"dockerSpecificationType": "Image", "dockerImageUri": image, **platform}
    build, text = properties.get("build"), properties.get("dockerfile")
    if build is None and text is None:
        return None
    context = None if build is None else build["contextUri"]
    made = {"dockerSpecificationType": "Build", "dockerfile": text, "context": context}
    return {**made, **platform}


ROWS = (
    STAGED,
    Unknown(("autoRebuild",), until="2022-09-30"),
    Unknown(("dockerfile",), since=STABLE),
    Renamed("inferenceConfig", "inferenceContainerProperties", until=FIRST),
    Renamed("environmentType", "environmentSpecificationType", until=FIRST),
    Reshaped(Dockered, _to_internal, _to_theirs, until=FIRST),
)
FIXED = {"condaFile", "image", "build", "osType", "inferenceConfig", "autoRebuild", "dockerfile"}


def environment(resources: Resources, uploads: PendingUploads) -> tuple[Kind, Kind]:
    """The container and the version. All are their users' own: nothing is curated here."""
    return kinds_of(
        AssetType(
            plural="environments",
            properties=Environment,
            fixed=frozenset(FIXED),
            rows=ROWS,
            computed={**DONE, "environmentType": "UserCreated"},
            actions=uploads.actions(),
        ),
        resources,
    )
