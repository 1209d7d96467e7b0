"""One authorized request to the Blob service, as its operations see it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lazulite.blobs.conditions import Conditions
from lazulite.blobs.delegation import DelegationKey, Span
from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.opened import OpenBlob, Source
from lazulite.blobs.store import BlobStore
from lazulite.blobs.targets import Target
from lazulite.blobs.values import Blob


class Site(Protocol):
    """What an operation needs of the gateway that serves it."""

    async def source(self, call: Call, url: str) -> Source:
        """The blob that a copy source names, which the caller may read; to be closed.

        Raises BlobError for sources that cannot be read or are not as the headers want them.
        """
        ...

    async def respond(self, request: Request) -> Response:
        """Answer a request that came inside another one."""
        ...

    async def may_be_public(self, account: str) -> bool:
        """Whether containers of the account may be public."""
        ...

    async def delegation_key(self, request: Request, account: str, span: Span) -> DelegationKey:
        """A key for the bearer of the request. Raises BlobError 401 or 403."""
        ...


@dataclasses.dataclass(frozen=True)
class Call:
    """The request with what is known of it. only_new: the caller may not overwrite blobs."""

    store: BlobStore
    request: Request
    target: Target
    query: Mapping[str, str]
    only_new: bool
    site: Site

    @property
    def address(self) -> BlobAddress:
        """The blob that the path names."""
        return BlobAddress(self.target.account, self.target.container, self.target.blob)

    @property
    def container(self) -> BlobAddress:
        """The container that the path names, as its lease knows it."""
        return BlobAddress(self.target.account, self.target.container, "")

    async def open(self, conditions: Conditions) -> OpenBlob:
        """The blob that is meant, or the snapshot of it; the caller closes it."""
        if "snapshot" in self.query:
            return await self.store.open_snapshot(self.address, self.query["snapshot"], conditions)
        return await self.store.open(self.address, conditions)

    async def head(self, conditions: Conditions) -> Blob:
        """The same without its bytes."""
        if "snapshot" not in self.query:
            return await self.store.head(self.address, conditions)
        opened = await self.open(conditions)
        opened.close()
        return opened.blob

    async def body(self, limit: int) -> bytes:
        """A small body, whole. Raises BlobError 413 for more than limit bytes."""
        data = bytearray()
        async for piece in self.stream():
            data += piece
            if len(data) > limit:
                raise BlobError("RequestBodyTooLarge")
        return bytes(data)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in pieces. Raises BlobError when the sender goes away, for nobody to read."""
        try:
            async for piece in self.request.stream():
                yield piece
        except ClientDisconnect as error:
            raise BlobError("InvalidInput", "The connection was closed.") from error

    def integer(self, name: str, default: int, allowed: range) -> int:
        """A number in the query. Raises BlobError."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or int(text[:20]) not in allowed:
            message = f"{name}={text[:40]!r} is not in {allowed.start} to {allowed.stop - 1}."
            raise BlobError("InvalidQueryParameterValue", message)
        return int(text)


def xml_response(document: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in XML."""
    return Response(document.encode(), HTTPStatus.OK, dict(headers or {}), "application/xml")
