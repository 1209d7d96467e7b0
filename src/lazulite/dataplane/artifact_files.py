"""Artifacts as files: where they lie, and what can be done with them.

The artifact {origin}/{container}/{path} is the blob of that name in the container of the datastore
workspaceartifactstore; runs write theirs under ExperimentRun/dcid.{runId}/. There is no other
record of an artifact: it is there when its file is. Source: spec/REST.md 9.1 and 9.5.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from urllib.parse import quote

from lazulite.blobs.conditions import Conditions
from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.opened import OpenBlob
from lazulite.blobs.signatures import Grant, sign_blob
from lazulite.blobs.store import BlobStore
from lazulite.blobs.values import Blob, Expected, Properties, Stamp
from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.store.resources import Resource

CONTAINER = "azureml"
LARGEST = 5000 << 20  # bytes of one artifact sent through the service
PAGE = 500
SIGNED_FOR = timedelta(hours=4)
READ, WRITE = "r", "rcw"
"""What a signed address is good for."""

KeysOf = Callable[[str], Awaitable[Sequence[bytes]]]


@dataclasses.dataclass(frozen=True)
class Artifact:
    """The name of an artifact, which need not be there."""

    origin: str
    container: str
    path: str

    @property
    def id(self) -> str:
        """Origin, container and path."""
        return f"{self.origin}/{self.container}/{self.path}"

    @classmethod
    def at(cls, origin: str, container: str, path: str) -> Artifact:
        """The artifact at a path as clients write it. Raises ArmError 400 for no path at all."""
        if not path.strip("/"):
            message = f"The path {path!r} names no artifact in the container."
            raise ArmError("BadArgument", message, target="path")
        return cls(origin, container, path.lstrip("/"))

    @classmethod
    def of(cls, artifact_id: str) -> Artifact:
        """Take an id apart. Raises ArmError 400."""
        origin, _, rest = artifact_id.strip("/").partition("/")
        container, _, path = rest.partition("/")
        if not path:
            message = f"{artifact_id!r} is no artifact id: it reads origin/container/path."
            raise ArmError("BadArgument", message, target="artifactId")
        return cls(origin, container, path)


@dataclasses.dataclass(frozen=True)
class Found:
    """An artifact that is there."""

    artifact: Artifact
    stamp: Stamp


class ArtifactFiles:
    """Reads and writes artifacts of a workspace. Raises ArmError: 404 for one that is not there."""

    def __init__(self, store: BlobStore, keys: KeysOf, clock: Clock, suffix: str) -> None:
        """keys: those of a storage account; suffix: of the blob hosts that clients expect."""
        self._store, self._keys, self._clock, self._suffix = store, keys, clock, suffix

    async def find(self, workspace: Resource, artifact: Artifact) -> Found:
        """The artifact. Raises ArmError 404."""
        with told(artifact.id):
            blob = await self._store.head(self._address(workspace, artifact))
        return Found(artifact, blob.stamp)

    async def page(
        self, workspace: Resource, origin: str, container: str, prefix: str, token: str | None
    ) -> tuple[list[Found], str | None]:
        """Artifacts whose path begins so, in the order of names, and the token for more."""
        start = f"{origin}/{container}/"
        query = Query(prefix=start + prefix, marker=token or "", limit=PAGE)
        with told(start):
            shown = await self._store.list_blobs(_account(workspace), CONTAINER, query)
        found = [
            Found(Artifact(origin, container, blob.address.name[len(start) :]), blob.stamp)
            for blob in shown.blobs
        ]
        return found, shown.marker

    async def every(
        self, workspace: Resource, origin: str, container: str, prefix: str = ""
    ) -> AsyncIterator[Found]:
        """All of them, page after page."""
        token: str | None = ""
        while token is not None:
            found, token = await self.page(workspace, origin, container, prefix, token)
            for one in found:
                yield one

    async def open(self, workspace: Resource, artifact: Artifact) -> OpenBlob:
        """Open it for reading; the caller closes it."""
        with told(artifact.id):
            return await self._store.open(self._address(workspace, artifact))

    async def write(
        self,
        workspace: Resource,
        artifact: Artifact,
        body: AsyncIterable[bytes],
        *,
        content_type: str = "",
        overwrite: bool = False,
    ) -> Found:
        """Write it whole. Raises ArmError 409 if it is there and must not be overwritten."""
        conditions = Conditions(if_none_match=None if overwrite else "*")
        return await self._put(workspace, artifact, body, content_type, conditions)

    async def append(
        self, workspace: Resource, artifact: Artifact, body: AsyncIterable[bytes]
    ) -> Found:
        """Add to its end; make it if it is not there.

        Raises ArmError 412 if somebody else wrote meanwhile.
        """
        try:
            opened = await self.open(workspace, artifact)
        except ArmError as error:
            if error.status != 404:
                raise
            return await self.write(workspace, artifact, body)
        blob = opened.blob
        try:
            conditions = Conditions(if_match=blob.stamp.etag)
            whole = _one_after_the_other(opened, body)
            kind = blob.properties.content_type
            return await self._put(workspace, artifact, whole, kind, conditions)
        finally:
            opened.close()

    async def delete(self, workspace: Resource, artifact: Artifact) -> None:
        """Delete it. Raises ArmError 404."""
        with told(artifact.id):
            await self._store.delete(self._address(workspace, artifact))

    async def address(
        self, workspace: Resource, artifact: Artifact, base: str, permissions: str = ""
    ) -> str:
        """The URL of its blob, signed if permissions are given; nothing need be there.

        The form "{account}.blob.{suffix}" is what azureml-mlflow insists on (CLIENTS.md 11.4).
        """
        account, path = _account(workspace), f"{CONTAINER}/{artifact.id}"
        url = f"{base}/{account}.blob.{self._suffix}/{quote(path)}"
        if not permissions:
            return url
        grant = Grant(permissions, expiry=self._clock() + SIGNED_FOR)
        key = (await self._keys(account))[0]
        return f"{url}?{sign_blob(account, key, grant, path)}"

    async def _put(
        self,
        workspace: Resource,
        artifact: Artifact,
        body: AsyncIterable[bytes],
        content_type: str,
        conditions: Conditions,
    ) -> Found:
        said = Properties(content_type=content_type) if content_type else Properties()
        with told(artifact.id):
            blob: Blob = await self._store.put(
                self._address(workspace, artifact), body, Expected(LARGEST), said, conditions
            )
        return Found(artifact, blob.stamp)

    def _address(self, workspace: Resource, artifact: Artifact) -> BlobAddress:
        return BlobAddress(_account(workspace), CONTAINER, artifact.id)


@contextlib.contextmanager
def told(artifact_id: str) -> Iterator[None]:
    """Tell a caller of a service what the blob store says."""
    try:
        yield
    except BlobError as error:
        if error.status == 404:
            message = f"There is no artifact {artifact_id!r}."
            raise ArmError("ArtifactNotFound", message, 404) from error
        message = f"The artifact {artifact_id!r}: {error.message}"
        raise ArmError(error.code, message, error.status) from error


async def _one_after_the_other(
    opened: OpenBlob, body: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    async for chunk in opened.chunks(0, opened.blob.size):
        yield chunk
    async for chunk in body:
        yield chunk


def _account(workspace: Resource) -> str:
    account = workspace.observed.get("account")
    if account is None:
        message = f"The workspace {workspace.name!r} has no storage yet: try again."
        raise ArmError("Conflict", message, 409, headers={"Retry-After": "1"})
    return str(account)
