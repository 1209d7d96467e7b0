"""Bodies of artifact/v2.0, and how it shows artifacts. Source: spec/REST.md 9.5."""

from __future__ import annotations

from pydantic import Field

from lazulite.arm.envelope import timestamp
from lazulite.arm.kind import Properties
from lazulite.dataplane.artifact_files import Artifact, ArtifactFiles, Found
from lazulite.dataplane.continuation import next_link
from lazulite.dataplane.requests import Asked
from lazulite.store.resources import Json


class DataPath(Properties):
    """Where else the content would be."""

    data_store_name: str | None = None
    relative_path: str | None = None


class NewArtifact(Properties):
    """An artifact to make."""

    origin: str = Field(pattern=r"^[^/]+$")
    container: str = Field(pattern=r"^[^/]+$")
    path: str
    data_path: DataPath | None = None


class ArtifactPath(Properties):
    """One path in the container of the URL."""

    path: str


class ArtifactPathList(Properties):
    """Several of them."""

    paths: list[ArtifactPath]


class ArtifactIdList(Properties):
    """Ids, which read origin/container/path."""

    artifact_ids: list[str]


def show_name(artifact: Artifact) -> Json:
    """An Artifact that need not be there."""
    return {
        "artifactId": artifact.id,
        "origin": artifact.origin,
        "container": artifact.container,
        "path": artifact.path,
        "etag": None,
        "createdTime": None,
        "dataPath": None,
        "tags": {},
    }


def show(found: Found) -> Json:
    """An Artifact."""
    return {
        **show_name(found.artifact),
        "etag": found.stamp.etag.strip('"'),
        "createdTime": timestamp(found.stamp.modified),
    }


async def describe(
    files: ArtifactFiles, asked: Asked, artifact: Artifact, permissions: str
) -> Json:
    """An ArtifactContentInformation; permissions: READ, WRITE or "" for no signature."""
    url = await files.address(asked.workspace, artifact, asked.base, permissions)
    return {
        "contentUri": url,
        "origin": artifact.origin,
        "container": artifact.container,
        "path": artifact.path,
    }


def show_batch(artifacts: Json, infos: Json, errors: Json) -> Json:
    """A BatchArtifactContentInformationResult: three maps by the same names."""
    return {"artifacts": artifacts, "artifactContentInformation": infos, "errors": errors}


def show_page(asked: Asked, value: list[Json], token: str | None) -> Json:
    """A page of artifacts or of their addresses."""
    link = next_link(asked, "continuationToken", token)
    return {"value": value, "continuationToken": token, "nextLink": link}
