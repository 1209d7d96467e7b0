"""workspaces/environments: what scripts run in. Source: spec/REST.md 7.4, CLIENTS.md 7.3."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from lazulite.arm.assets import DONE, FIRST, STABLE, STAGED, Asset, AssetType, Container, kinds_of
from lazulite.arm.kind import Kind, Properties, Proposal, model_dump
from lazulite.arm.wire import Renamed, Reshaped, Unknown
from lazulite.core.errors import ArmError
from lazulite.core.ids import ML, parse_path
from lazulite.deployments.environment_builds import EnvironmentBuilds
from lazulite.deployments.pending_uploads import PendingUploads
from lazulite.environments.curated import CURATED, PREFIX, is_reserved
from lazulite.store.resources import Draft, Json, Resource, Resources

PLURAL = "environments"
OsType = Literal["Linux", "Windows"]


class BuildContext(Properties):
    """A folder with a Dockerfile."""

    context_uri: str = Field(min_length=1)
    dockerfile_path: str = "Dockerfile"


class Route(Properties):
    """Where a container answers."""

    path: str = Field(pattern=r"^/[!-~]*$")
    """As a request has it: what is not visible ASCII is written %XX."""
    port: int = Field(ge=1, le=65535)


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


def environment(
    resources: Resources, uploads: PendingUploads, builds: EnvironmentBuilds
) -> tuple[Kind, Kind]:
    """The container and the version. Curated ones can be read only."""
    container, version = kinds_of(
        AssetType(
            plural=PLURAL,
            properties=Environment,
            fixed=frozenset(FIXED),
            rows=ROWS,
            actions={**uploads.actions(), **builds.actions()},
        ),
        resources,
    )
    guarded = dataclasses.replace(container, prepare=_own, may_delete=_may_delete)
    return guarded, dataclasses.replace(
        version, prepare=_own, may_delete=_may_delete, show_all=_show_all
    )


def curated_drafts(workspace: str) -> list[Draft]:
    """The rows of the curated environments of a workspace: each name, and its one version."""
    base, made = f"{workspace}/{PLURAL}", []
    for each in CURATED.values():
        name = Container(description=f"Curated: {', '.join(each.packages) or 'Python alone'}")
        version = Environment(conda_file=each.conda_file, description=name.description)
        kind = f"{ML}/workspaces/{PLURAL}"
        made += [
            _draft(kind, f"{base}/{each.name}", name),
            _draft(f"{kind}/versions", f"{base}/{each.name}/versions/1", version),
        ]
    return [dataclasses.replace(draft, under=workspace) for draft in made]


def _draft(kind: str, arm_id: str, properties: Container) -> Draft:
    return Draft(resource_type=kind, id=arm_id, properties=model_dump(properties), reconciled=False)


async def _own(proposal: Proposal) -> Proposal:
    _refuse_curated(proposal.id)
    return proposal


async def _may_delete(resource: Resource) -> None:
    _refuse_curated(resource.id)


def _refuse_curated(arm_id: str) -> None:
    name = _asset_name(arm_id)
    if is_reserved(name):
        raise ArmError(
            "ReservedEnvironmentName",
            f"{name!r} begins with {PREFIX}, as only curated environments do, which can be read "
            "only: register yours under another name.",
            target="name",
        )


def _asset_name(arm_id: str) -> str:
    return parse_path(arm_id).names[1]  # after the workspace's


async def _show_all(versions: Sequence[Resource], base: str) -> list[Json]:
    sorts = ("UserCreated", "Curated")
    curated = (is_reserved(_asset_name(each.id)) for each in versions)
    return [{**DONE, "environmentType": sorts[is_curated]} for is_curated in curated]
