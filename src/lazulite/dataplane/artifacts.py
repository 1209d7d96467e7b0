"""artifact/v2.0: upload, list, read and delete artifacts. Source: spec/REST.md 9.5.

Older clients put origin, container and path into the URL (content/{origin}/{container}/{path});
the documented form has the path in the query. Both are served.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.responses import JSONResponse, Response

from lazulite.blobs.blob_operations import BlobResponse
from lazulite.core.errors import ArmError
from lazulite.dataplane.artifact_batches import ArtifactBatches
from lazulite.dataplane.artifact_files import READ, WRITE, Artifact, ArtifactFiles, Found
from lazulite.dataplane.artifact_form import NewArtifact, describe, show, show_page
from lazulite.dataplane.refusals import not_implemented
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.services import Service, ServiceRoute

READING = "metadata/artifacts/read"
WRITING = "metadata/artifacts/write"
DELETING = "metadata/artifacts/delete"
Handler = Callable[[Asked], Awaitable[Response]]


@dataclasses.dataclass(frozen=True)
class Artifacts:
    """The artifact operations."""

    files: ArtifactFiles

    def service(self) -> Service:
        """artifact/v2.0."""
        there = "artifacts/{origin}/{container}"
        return Service(
            name="artifact",
            version="v2.0",
            routes=(
                ServiceRoute("POST", "artifacts/metadata", WRITING, self.create, NewArtifact),
                ServiceRoute("POST", "artifacts/register", WRITING, self.create, NewArtifact),
                *_both("GET", "metadata", READING, self.get),
                *_both("DELETE", "metadata", DELETING, self.delete),
                *_both("GET", "content", READING, self.download),
                *_both("POST", "content", WRITING, self.upload),
                *_both("GET", "contentinfo/storageuri", READING, self.uri),
                *_both("GET", "contentinfo", READING, self.info),
                *_both("GET", "write", WRITING, self.writable),
                *_both("GET", "prefix/contentinfo/storageuri", READING, self.uris),
                *_both("GET", "prefix/contentinfo", READING, self.infos),
                *ArtifactBatches(self.files).routes(),
                ServiceRoute("GET", there, READING, self.in_container),
                *_both("GET", "path", READING, self.in_container),
            ),
        )

    async def create(self, asked: Asked) -> Response:
        """Make an empty artifact; one that is there stays as it is."""
        given = await asked.model(NewArtifact)
        artifact = Artifact(given.origin, given.container, given.path)
        if given.data_path is not None:
            raise not_implemented(
                "An artifact that points into another datastore", "upload its content."
            )
        try:
            found = await self.files.write(asked.workspace, artifact, _nothing())
        except ArmError as error:
            if error.status != 409:
                raise
            found = await self.files.find(asked.workspace, artifact)
        return JSONResponse(show(found))

    async def get(self, asked: Asked) -> Response:
        """What is known of an artifact. Raises ArmError 404."""
        return JSONResponse(show(await self.files.find(asked.workspace, _artifact(asked))))

    async def delete(self, asked: Asked) -> Response:
        """Delete it with its content. Raises ArmError 404."""
        await self.files.delete(asked.workspace, _artifact(asked))
        return Response(status_code=200)

    async def in_container(self, asked: Asked) -> Response:
        """Artifacts of a container whose path begins as the query says."""
        found, token = await self._page(asked)
        return JSONResponse(show_page(asked, [show(one) for one in found], token))

    async def download(self, asked: Asked) -> Response:
        """The content. Raises ArmError 404."""
        opened = await self.files.open(asked.workspace, _artifact(asked))
        blob = opened.blob
        headers = {
            "content-type": blob.properties.content_type,
            "content-length": str(blob.size),
            "etag": blob.stamp.etag,
        }
        return BlobResponse(opened, (0, blob.size), headers)

    async def upload(self, asked: Asked) -> Response:
        """The body becomes the content, or its end if the query says append=true."""
        artifact, body = _artifact(asked), asked.http.stream()
        if asked.says("append"):
            found = await self.files.append(asked.workspace, artifact, body)
        else:
            found = await self.files.write(
                asked.workspace,
                artifact,
                body,
                content_type=asked.http.headers.get("content-type", ""),
                overwrite=asked.says("allowoverwrite"),
            )
        return JSONResponse(show(found))

    async def info(self, asked: Asked) -> Response:
        """A signed address to read from. Raises ArmError 404."""
        found = await self.files.find(asked.workspace, _artifact(asked))
        return JSONResponse(await describe(self.files, asked, found.artifact, READ))

    async def uri(self, asked: Asked) -> Response:
        """The address without a signature. Raises ArmError 404."""
        found = await self.files.find(asked.workspace, _artifact(asked))
        return JSONResponse(await describe(self.files, asked, found.artifact, ""))

    async def writable(self, asked: Asked) -> Response:
        """A signed address to write to; nothing need be there."""
        return JSONResponse(await describe(self.files, asked, _artifact(asked), WRITE))

    async def infos(self, asked: Asked) -> Response:
        """Signed addresses of everything below a prefix."""
        return await self._described(asked, READ)

    async def uris(self, asked: Asked) -> Response:
        """Addresses of everything below a prefix."""
        return await self._described(asked, "")

    async def _page(self, asked: Asked) -> tuple[list[Found], str | None]:
        prefix = asked.names.get("path") or asked.query.get("path", "")
        names, token = asked.names, asked.query.get("continuationtoken")
        return await self.files.page(
            asked.workspace, names["origin"], names["container"], prefix, token
        )

    async def _described(self, asked: Asked, permissions: str) -> Response:
        found, token = await self._page(asked)
        value = [await describe(self.files, asked, one.artifact, permissions) for one in found]
        return JSONResponse(show_page(asked, value, token))


def _both(method: str, operation: str, permission: str, handler: Handler) -> list[ServiceRoute]:
    """An operation on one path, or on all below it, in both forms of the URL."""
    newer = f"artifacts/{{origin}}/{{container}}/{operation}"
    older = f"artifacts/{operation}/{{origin}}/{{container}}/{{path:path}}"
    return [ServiceRoute(method, path, permission, handler) for path in (newer, older)]


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def _artifact(asked: Asked) -> Artifact:
    path = asked.names.get("path") or asked.query.get("path")
    if not path:
        message = "The query parameter path is required: the artifact in the container."
        raise ArmError("BadArgument", message, target="path")
    return _in(asked, path)


def _in(asked: Asked, path: str) -> Artifact:
    return Artifact.at(asked.names["origin"], asked.names["container"], path)
