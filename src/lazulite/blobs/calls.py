"""One authorized request to the Blob service, as its operations see it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.store import BlobStore
from lazulite.blobs.targets import Target


@dataclasses.dataclass(frozen=True)
class Call:
    """The request with what is known of it. only_new: the caller may not overwrite blobs."""

    store: BlobStore
    request: Request
    target: Target
    query: Mapping[str, str]
    only_new: bool

    @property
    def address(self) -> BlobAddress:
        """The blob that the path names."""
        return BlobAddress(self.target.account, self.target.container, self.target.blob)

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
