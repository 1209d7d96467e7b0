"""Operations on one blob. Source: Blob service REST API; spec/CLIENTS.md 4.1."""

from __future__ import annotations

import dataclasses
import hashlib
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lazulite.blobs.calls import Call, xml_response
from lazulite.blobs.conditions import Conditions
from lazulite.blobs.documents import blocks_document, parse_block_id, parse_block_list
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import (
    blob_headers,
    check_supported,
    conditions_of,
    encoded,
    expected_of,
    metadata_of,
    only_if_new,
    overridden,
    properties_of,
    range_of,
    version_headers,
)
from lazulite.blobs.store import OpenBlob
from lazulite.blobs.values import Blob

PUT_LIMIT = 5000 << 20  # bytes of one Put Blob
BLOCK_LIMIT = 4000 << 20  # bytes of one block
BLOCK_LIST_LIMIT = 16 << 20  # bytes of XML; 50,000 ids of 64 bytes fit
RANGE_MD5_LIMIT = 4 << 20  # bytes of a range whose MD5 is computed


class BlobResponse(Response):
    """The bytes of an open blob, which is closed however the sending ends."""

    def __init__(self, opened: OpenBlob, span: tuple[int, int], headers: dict[str, str]) -> None:
        """span: start and stop of the bytes to send; a part of the blob makes it a 206."""
        whole = span == (0, opened.blob.size) and "Content-Range" not in headers
        super().__init__(None, HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT, headers)
        self._opened, self._span = opened, span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, at the pace of the client."""
        try:
            start = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **start})
            left = self._span[1] - self._span[0]
            async for chunk in self._opened.chunks(*self._span):
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
            if self._span[0] == self._span[1]:
                await send({"type": "http.response.body", "body": b""})
        finally:
            self._opened.close()


async def put_blob(call: Call) -> Response:
    """Put Blob, of block blobs."""
    headers = call.request.headers
    check_supported(headers)
    if "x-ms-copy-source" in headers:
        message = "Copying from a URL is not implemented: download the blob and upload it."
        raise BlobError("NotImplemented", message)
    if headers.get("x-ms-blob-type", "") != "BlockBlob":
        message = f"x-ms-blob-type {headers.get('x-ms-blob-type')!r}: only BlockBlob is supported."
        raise BlobError("InvalidHeaderValue", message)
    expected = expected_of(headers, limit=PUT_LIMIT, hashed=True)
    properties = properties_of(headers, content_type=headers.get("content-type", ""))
    if properties.md5 is not None:
        expected = dataclasses.replace(expected, md5=properties.md5)
    blob = await call.store.put(
        call.address, call.stream(), expected, properties, _conditions_of(call)
    )
    return _written(blob, HTTPStatus.CREATED)


async def put_block(call: Call) -> Response:
    """Put Block."""
    headers = call.request.headers
    check_supported(headers)
    block_id = parse_block_id(call.query.get("blockid", ""))
    expected = expected_of(headers, limit=BLOCK_LIMIT, hashed=False)
    await call.store.put_block(call.address, block_id, call.stream(), expected)
    checked = {"Content-MD5": expected.md5, "x-ms-content-crc64": expected.crc64}
    echo = {name: encoded(digest) for name, digest in checked.items() if digest is not None}
    return Response(status_code=HTTPStatus.CREATED, headers=echo)


async def put_block_list(call: Call) -> Response:
    """Put Block List."""
    check_supported(call.request.headers)
    body = await call.body(BLOCK_LIST_LIMIT)
    _check_body(call, body)
    picks, properties = parse_block_list(body), properties_of(call.request.headers)
    blob = await call.store.put_block_list(call.address, picks, properties, _conditions_of(call))
    return _written(blob, HTTPStatus.CREATED)


async def get_block_list(call: Call) -> Response:
    """Get Block List."""
    kind = call.query.get("blocklisttype", "committed").lower()
    if kind not in {"committed", "uncommitted", "all"}:
        message = f"blocklisttype {kind!r} is not committed, uncommitted or all."
        raise BlobError("InvalidQueryParameterValue", message)
    found = await call.store.block_list(call.address)
    headers = {}
    if found.blob is not None:
        headers = version_headers(found.blob.stamp)
        headers["x-ms-blob-content-length"] = str(found.blob.size)
    return xml_response(blocks_document(found, kind), headers)


async def get_blob(call: Call) -> Response:
    """Get Blob, whole or a range."""
    asked = call.request.headers
    opened = await call.store.open(call.address, conditions_of(asked))
    try:
        blob, span = opened.blob, range_of(asked, opened.blob.size)
        headers = overridden(blob_headers(blob), call.query)
        start, stop = span or (0, blob.size)
        headers["Content-Length"] = str(stop - start)
        if span is not None:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
        headers |= await _md5_headers(call, opened, span)
        return BlobResponse(opened, (start, stop), headers)
    except BaseException:
        opened.close()
        raise


async def blob_properties(call: Call) -> Response:
    """Get Blob Properties and Get Blob Metadata."""
    blob = await call.store.head(call.address, conditions_of(call.request.headers))
    headers = overridden(blob_headers(blob), call.query)
    if blob.properties.md5:
        headers["Content-MD5"] = encoded(blob.properties.md5)
    response = Response(status_code=HTTPStatus.OK, headers=headers)
    is_head = call.request.method == "HEAD"
    response.headers["Content-Length"] = str(blob.size) if is_head else "0"
    return response


async def set_metadata(call: Call) -> Response:
    """Set Blob Metadata: replaces all of it."""
    check_supported(call.request.headers)
    metadata = metadata_of(call.request.headers)
    blob = await call.store.update(
        call.address,
        lambda said: dataclasses.replace(said, metadata=metadata),
        conditions_of(call.request.headers),
    )
    return _written(blob, HTTPStatus.OK)


async def set_properties(call: Call) -> Response:
    """Set Blob Properties: what is not given is cleared; metadata stays."""
    check_supported(call.request.headers)
    given = properties_of(call.request.headers)
    blob = await call.store.update(
        call.address,
        lambda said: dataclasses.replace(given, metadata=said.metadata),
        conditions_of(call.request.headers),
    )
    return _written(blob, HTTPStatus.OK)


async def delete_blob(call: Call) -> Response:
    """Delete Blob."""
    check_supported(call.request.headers)
    await call.store.delete(call.address, conditions_of(call.request.headers))
    headers = {"x-ms-delete-type-permanent": "true"}
    return Response(status_code=HTTPStatus.ACCEPTED, headers=headers)


def _conditions_of(call: Call) -> Conditions:
    conditions = conditions_of(call.request.headers)
    return only_if_new(conditions) if call.only_new else conditions


def _check_body(call: Call, body: bytes) -> None:
    expected = expected_of(call.request.headers, limit=BLOCK_LIST_LIMIT, hashed=False)
    if expected.md5 and hashlib.md5(body, usedforsecurity=False).digest() != expected.md5:
        raise BlobError("Md5Mismatch")


def _written(blob: Blob, status: HTTPStatus) -> Response:
    headers = {**version_headers(blob.stamp), "x-ms-request-server-encrypted": "false"}
    if blob.properties.md5 and status is HTTPStatus.CREATED:
        headers["Content-MD5"] = encoded(blob.properties.md5)
    return Response(status_code=status, headers=headers)


async def _md5_headers(
    call: Call, opened: OpenBlob, span: tuple[int, int] | None
) -> dict[str, str]:
    """The MD5 of what is sent goes into Content-MD5, that of the blob into its own header."""
    stored = opened.blob.properties.md5
    if span is None:
        return {"Content-MD5": encoded(stored)} if stored else {}
    headers = {"x-ms-blob-content-md5": encoded(stored)} if stored else {}
    if call.request.headers.get("x-ms-range-get-content-md5", "").lower() == "true":
        if span[1] - span[0] > RANGE_MD5_LIMIT:
            raise BlobError("InvalidHeaderValue", "The MD5 of a range is limited to 4 MiB.")
        data = b"".join([chunk async for chunk in opened.chunks(*span)])
        headers["Content-MD5"] = encoded(hashlib.md5(data, usedforsecurity=False).digest())
    return headers
