"""artifact/v2.0, operations on many artifacts at once. Source: spec/REST.md 9.5."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from starlette.responses import JSONResponse, Response

from lazulite.core.errors import ArmError
from lazulite.dataplane.artifact_files import READ, WRITE, Artifact, ArtifactFiles
from lazulite.dataplane.artifact_form import (
    ArtifactIdList,
    ArtifactPathList,
    describe,
    show,
    show_batch,
    show_name,
)
from lazulite.dataplane.refusals import error_body, not_implemented
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import ServiceRoute
from lazulite.store.resources import Json


@dataclasses.dataclass(frozen=True)
class ArtifactBatches:
    """Operations that take a list of paths or ids."""

    files: ArtifactFiles

    def routes(self) -> tuple[ServiceRoute, ...]:
        """batch/... below artifacts and below a container."""
        reading, writing = "metadata/artifacts/read", "metadata/artifacts/write"
        deleting, batch = "metadata/artifacts/delete", "artifacts/{origin}/{container}/batch"
        by_id, uris = "artifacts/batch/metadata", "artifacts/storageuri/batch/metadata"
        return (
            ServiceRoute("POST", by_id, reading, self.infos_by_id),
            ServiceRoute("POST", uris, reading, self.uris_by_id),
            ServiceRoute("POST", f"{batch}/metadata", writing, self.create_many, ArtifactPathList),
            ServiceRoute(
                "POST", f"{batch}/metadata:delete", deleting, self.delete_many, ArtifactPathList
            ),
            ServiceRoute("POST", f"{batch}/ingest/containersas", writing, _no_ingestion),
            ServiceRoute("DELETE", batch, deleting, self.delete_all),
        )

    async def infos_by_id(self, asked: Asked) -> Response:
        """Artifacts and signed addresses by artifactId; errors for those that are not there."""
        return await self._by_id(asked, READ)

    async def uris_by_id(self, asked: Asked) -> Response:
        """The same without signatures."""
        return await self._by_id(asked, "")

    async def create_many(self, asked: Asked) -> Response:
        """Addresses to write new artifacts to; they are there once something is written."""
        given = await asked.model(ArtifactPathList)
        named = [_in(asked, item.path) for item in given.paths]
        infos = {one.path: await describe(self.files, asked, one, WRITE) for one in named}
        shown = {one.path: show_name(one) for one in named}
        return JSONResponse(show_batch(shown, infos, {}))

    async def delete_many(self, asked: Asked) -> Response:
        """Delete the paths of the body; those that are not there count as deleted."""
        given = await asked.model(ArtifactPathList)
        await self._delete(asked, [_in(asked, item.path) for item in given.paths])
        return Response(status_code=200)

    async def delete_all(self, asked: Asked) -> Response:
        """Delete every artifact of a container."""
        names = asked.names
        every = self.files.every(asked.workspace, names["origin"], names["container"])
        await self._delete(asked, [found.artifact async for found in every])
        return Response(status_code=200)

    async def _by_id(self, asked: Asked, permissions: str) -> Response:
        given = await asked.model(ArtifactIdList)
        shown: Json = {}
        infos: Json = {}
        errors: Json = {}
        for artifact_id in given.artifact_ids:
            try:
                found = await self.files.find(asked.workspace, Artifact.of(artifact_id))
                shown[artifact_id] = show(found)
                infos[artifact_id] = await describe(self.files, asked, found.artifact, permissions)
            except ArmError as error:
                errors[artifact_id] = error_body(error, asked.http)
        return JSONResponse(show_batch(shown, infos, errors))

    async def _delete(self, asked: Asked, artifacts: Iterable[Artifact]) -> None:
        for artifact in artifacts:
            try:
                await self.files.delete(asked.workspace, artifact)
            except ArmError as error:
                if error.status != 404:
                    raise


async def _no_ingestion(asked: Asked) -> Response:
    raise not_implemented("Taking in another container", "upload its files as artifacts.")


def _in(asked: Asked, path: str) -> Artifact:
    return Artifact.at(asked.names["origin"], asked.names["container"], path)
