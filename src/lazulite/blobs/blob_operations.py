"""Operations on one blob. Source: Blob service REST API; spec/CLIENTS.md 4.1."""

from __future__ import annotations

import dataclasses
import hashlib
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lazulite.blobs.calls import Call, xml_response
from lazulite.blobs.conditions import Conditions
from lazulite.blobs.copy_operations import copy_blob, put_blob_from_url, source_part
from lazulite.blobs.crc64 import Crc64
from lazulite.blobs.details import APPEND_BLOB, BLOCK_BLOB
from lazulite.blobs.documents import (
    blocks_document,
    http_date,
    parse_block_id,
    parse_block_list,
)
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import (
    blob_headers,
    check_supported,
    checked_echo,
    conditions_of,
    details_of,
    encoded,
    expected_of,
    metadata_of,
    only_if_new,
    overridden,
    properties_of,
    range_of,
    tier_of,
    version_headers,
)
from lazulite.blobs.opened import OpenBlob
from lazulite.blobs.values import Blob, Properties

PUT_LIMIT = 5000 << 20  # bytes of one Put Blob
BLOCK_LIMIT = 4000 << 20  # bytes of one block
BLOCK_LIST_LIMIT = 16 << 20  # bytes of XML; 50,000 ids of 64 bytes fit
TIER_HEADERS = ("x-ms-access-tier", "x-ms-access-tier-inferred", "x-ms-access-tier-change-time")
"""Told by Get Blob Properties only."""
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
    """Put Blob, of block and append blobs; with a copy source, one of the copies."""
    headers = call.request.headers
    check_supported(headers)
    kind = headers.get("x-ms-blob-type", "")
    if "x-ms-copy-source" in headers:
        return await (put_blob_from_url(call) if kind else copy_blob(call))
    if kind not in {BLOCK_BLOB, APPEND_BLOB}:
        message = f"x-ms-blob-type {kind[:40]!r}: only BlockBlob and AppendBlob are supported."
        raise BlobError("InvalidHeaderValue", message)
    limit = PUT_LIMIT if kind == BLOCK_BLOB else 0
    expected = expected_of(headers, limit=limit, hashed=kind == BLOCK_BLOB)
    properties = dataclasses.replace(
        properties_of(headers, content_type=headers.get("content-type", "")),
        details=details_of(headers, kind, call.store.clock()),
    )
    if properties.md5 is not None:
        expected = dataclasses.replace(expected, md5=properties.md5)
    blob = await call.store.put(
        call.address, call.stream(), expected, properties, _conditions_of(call)
    )
    return _written(blob, HTTPStatus.CREATED)


async def put_block(call: Call) -> Response:
    """Put Block, and Put Block From URL."""
    headers = call.request.headers
    check_supported(headers)
    block_id = parse_block_id(call.query.get("blockid", ""))
    put, lease = call.store.put_block, headers.get("x-ms-lease-id")
    if "x-ms-copy-source" in headers:
        async with source_part(call, BLOCK_LIMIT) as (body, expected):
            await put(call.address, block_id, body, expected, lease)
    else:
        expected = expected_of(headers, limit=BLOCK_LIMIT, hashed=False)
        await put(call.address, block_id, call.stream(), expected, lease)
    echo = {**checked_echo(expected), "x-ms-request-server-encrypted": "false"}
    return Response(status_code=HTTPStatus.CREATED, headers=echo)


async def put_block_list(call: Call) -> Response:
    """Put Block List."""
    check_supported(call.request.headers)
    body = await call.body(BLOCK_LIST_LIMIT)
    _check_body(call, body)
    picks = parse_block_list(body)
    properties = dataclasses.replace(
        properties_of(call.request.headers),
        details=details_of(call.request.headers, BLOCK_BLOB, call.store.clock()),
    )
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
    opened = await call.open(conditions_of(asked))
    try:
        blob, span = opened.blob, range_of(asked, opened.blob.size)
        _check_readable(blob)
        headers = _shown(call, blob)
        for name in TIER_HEADERS:
            headers.pop(name, None)
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
    blob = await call.head(conditions_of(call.request.headers))
    headers = _shown(call, blob)
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
        lambda said: dataclasses.replace(given, metadata=said.metadata, details=said.details),
        conditions_of(call.request.headers),
    )
    return _written(blob, HTTPStatus.OK)


async def delete_blob(call: Call) -> Response:
    """Delete Blob, or its snapshots."""
    headers = call.request.headers
    check_supported(headers)
    mode, snapshot = headers.get("x-ms-delete-snapshots"), call.query.get("snapshot")
    if mode not in {None, "include", "only"}:
        message = f"x-ms-delete-snapshots {mode[:40]!r} is not include or only."
        raise BlobError("InvalidHeaderValue", message)
    if snapshot is not None:
        if mode is not None:
            raise BlobError("InvalidQueryParameterValue", "A snapshot has no snapshots.")
        await call.store.delete_snapshots(call.address, snapshot)
    elif mode == "only":
        await call.store.delete_snapshots(call.address)
    else:
        conditions = conditions_of(headers)
        await call.store.delete(call.address, conditions, with_snapshots=mode == "include")
    answer = {"x-ms-delete-type-permanent": "true"}
    return Response(status_code=HTTPStatus.ACCEPTED, headers=answer)


async def snapshot_blob(call: Call) -> Response:
    """Snapshot Blob."""
    headers = call.request.headers
    check_supported(headers)
    taken = await call.store.take_snapshot(
        call.address, metadata_of(headers), conditions_of(headers)
    )
    answer = {
        **version_headers(taken.stamp),
        "x-ms-snapshot": taken.snapshot,
        "x-ms-request-server-encrypted": "false",
    }
    return Response(status_code=HTTPStatus.CREATED, headers=answer)


async def set_tier(call: Call) -> Response:
    """Set Blob Tier: recorded; Archive keeps the blob from being read until it is changed."""
    headers, tier = call.request.headers, tier_of(call.request.headers)
    if not tier:
        raise BlobError("MissingRequiredHeader", "The header x-ms-access-tier is missing.")
    now = http_date(call.store.clock())

    def change(said: Properties) -> Properties:
        if said.details.kind != BLOCK_BLOB:
            raise BlobError("InvalidBlobType")
        details = dataclasses.replace(said.details, tier=tier, tier_changed=now)
        return dataclasses.replace(said, details=details)

    await call.store.amend(call.address, change, conditions_of(headers))
    return Response(status_code=HTTPStatus.OK)


def _check_readable(blob: Blob) -> None:
    if blob.properties.details.tier == "Archive":
        raise BlobError("BlobArchived")


def _shown(call: Call, blob: Blob) -> dict[str, str]:
    """What answers say of a blob; snapshots have no lease."""
    lease = {} if blob.snapshot else call.store.leases.headers(blob.address)
    return overridden({**blob_headers(blob), **lease}, call.query)


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
    asked = [
        kind
        for kind in ("md5", "crc64")
        if call.request.headers.get(f"x-ms-range-get-content-{kind}", "").lower() == "true"
    ]
    if asked and span[1] - span[0] > RANGE_MD5_LIMIT:
        raise BlobError("InvalidHeaderValue", "The checksum of a range is limited to 4 MiB.")
    data = b"".join([chunk async for chunk in opened.chunks(*span)]) if asked else b""
    if "md5" in asked:
        headers["Content-MD5"] = encoded(hashlib.md5(data, usedforsecurity=False).digest())
    if "crc64" in asked:
        crc64 = Crc64()
        crc64.update(data)
        headers["x-ms-content-crc64"] = encoded(crc64.digest())
    return headers
