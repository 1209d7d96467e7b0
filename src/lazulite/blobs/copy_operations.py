"""Copies from a URL: Copy Blob, Copy Blob From URL, Put Blob From URL, and parts of a source.

The source is a blob of this server, read under its own authorization, or what another server sends.
A copy is complete before it is answered, so none is ever pending. Source: "Copy Blob" and its kin,
learn.microsoft.com.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.responses import Response

from lazulite.blobs.calls import Call
from lazulite.blobs.conditions import Conditions
from lazulite.blobs.details import BLOCK_BLOB, CopyRecord, Details
from lazulite.blobs.documents import http_date
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import (
    check_supported,
    conditions_of,
    details_of,
    digest_of,
    only_if_new,
    properties_of,
    span_of,
    version_headers,
)
from lazulite.blobs.opened import Source
from lazulite.blobs.values import Blob, Expected, Properties

COPY_LIMIT = 5000 << 30  # bytes


async def copy_blob(call: Call) -> Response:
    """Copy Blob and, with x-ms-requires-sync, Copy Blob From URL: 202 with the copy done."""
    headers = call.request.headers
    check_supported(headers)
    async with _source(call) as opened:
        said = _with_metadata_of(opened.blob.properties, properties_of(headers))
        blob = await _written(call, opened, said, opened.blob.properties.details.kind)
    copied = blob.properties.details.copied
    answer = {
        **version_headers(blob.stamp),
        "x-ms-copy-id": copied.id if copied else "",
        "x-ms-copy-status": "success",
    }
    return Response(status_code=HTTPStatus.ACCEPTED, headers=answer)


async def put_blob_from_url(call: Call) -> Response:
    """Put Blob From URL: 201. Properties come from the source where the request has none."""
    headers = call.request.headers
    check_supported(headers)
    async with _source(call) as opened:
        said = properties_of(headers)
        if headers.get("x-ms-copy-source-blob-properties", "true").lower() == "true":
            said = _with_metadata_of(opened.blob.properties, said)
        blob = await _written(call, opened, said, BLOCK_BLOB)
    return Response(status_code=HTTPStatus.CREATED, headers=version_headers(blob.stamp))


async def abort_copy(call: Call) -> Response:
    """Abort Copy Blob: none is ever pending."""
    if call.request.headers.get("x-ms-copy-action", "").lower() != "abort":
        raise BlobError("MissingRequiredHeader", "x-ms-copy-action must be abort.")
    blob = await call.store.head(call.address)
    copied = blob.properties.details.copied
    if copied is not None and copied.id != call.query.get("copyid"):
        raise BlobError("CopyIdMismatch")
    raise BlobError("NoPendingCopyOperation")


@asynccontextmanager
async def source_part(
    call: Call, limit: int
) -> AsyncIterator[tuple[AsyncIterator[bytes], Expected]]:
    """The bytes of x-ms-source-range of the source, and what they must be. Raises BlobError."""
    headers = call.request.headers
    async with _source(call) as opened:
        start, stop = span_of(headers.get("x-ms-source-range"), opened.blob.size) or (
            0,
            opened.blob.size,
        )
        if stop - start > limit:
            raise BlobError("RequestBodyTooLarge", f"{stop - start} bytes; {limit} are allowed.")
        md5 = digest_of(headers, "x-ms-source-content-md5", "md5")
        crc64 = digest_of(headers, "x-ms-source-content-crc64", "crc64")
        expected = Expected(limit, stop - start, md5, crc64, hashed=md5 is not None)
        yield opened.chunks(start, stop), expected


@asynccontextmanager
async def _source(call: Call) -> AsyncIterator[Source]:
    opened = await call.site.source(call, call.request.headers["x-ms-copy-source"])
    try:
        yield opened
    finally:
        opened.close()


async def _written(call: Call, opened: Source, said: Properties, kind: str) -> Blob:
    headers, source = call.request.headers, opened.blob
    md5 = digest_of(headers, "x-ms-source-content-md5", "md5")
    wants_tags = headers.get("x-ms-copy-source-tag-option", "REPLACE").upper() == "COPY"
    details = dataclasses.replace(
        details_of(headers, kind, call.store.clock()),
        appended=source.properties.details.appended,
        copied=CopyRecord(
            id=str(uuid.uuid4()),
            source=headers["x-ms-copy-source"].partition("?")[0],
            completed=http_date(call.store.clock()),
            size=source.size,
        ),
    )
    if wants_tags:
        details = dataclasses.replace(details, tags=source.properties.details.tags)
    expected = Expected(COPY_LIMIT, source.size, md5, hashed=md5 is not None)
    return await call.store.put(
        call.address,
        opened.chunks(0, source.size),
        expected,
        dataclasses.replace(said, details=details),
        _conditions(call),
    )


def _conditions(call: Call) -> Conditions:
    conditions = conditions_of(call.request.headers)
    return only_if_new(conditions) if call.only_new else conditions


def _with_metadata_of(source: Properties, given: Properties) -> Properties:
    """The source's properties; its metadata, too, unless some is given."""
    metadata = given.metadata or source.metadata
    return dataclasses.replace(source, metadata=metadata, details=Details())
