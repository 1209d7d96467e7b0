"""Append Block and Append Blob Seal."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus

from starlette.responses import Response

from lazulite.blobs.appending import AppendConditions, check_append
from lazulite.blobs.calls import Call
from lazulite.blobs.copy_operations import source_part
from lazulite.blobs.details import APPEND_BLOB
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import (
    check_supported,
    checked_echo,
    conditions_of,
    count_of,
    expected_of,
    version_headers,
)
from lazulite.blobs.values import Blob, Properties

APPEND_LIMIT = 100 << 20  # bytes of one block


async def append_block(call: Call) -> Response:
    """Append Block, and Append Block From URL."""
    headers = call.request.headers
    check_supported(headers)
    wanted = AppendConditions(
        count_of(headers, "x-ms-blob-condition-appendpos"),
        count_of(headers, "x-ms-blob-condition-maxsize"),
    )
    conditions = conditions_of(headers)
    if "x-ms-copy-source" in headers:
        async with source_part(call, APPEND_LIMIT) as (body, expected):
            blob = await call.store.append(call.address, body, expected, wanted, conditions)
    else:
        expected = expected_of(headers, limit=APPEND_LIMIT, hashed=False)
        if not expected.length:
            raise BlobError("InvalidHeaderValue", "Content-Length is 0: nothing to append.")
        blob = await call.store.append(call.address, call.stream(), expected, wanted, conditions)
    return _appended(blob, expected.length or 0, checked_echo(expected))


async def seal(call: Call) -> Response:
    """Append Blob Seal: nothing can be appended from now on; again, it changes nothing."""
    wanted = AppendConditions(count_of(call.request.headers, "x-ms-blob-condition-appendpos"))
    blob = await call.store.head(call.address)
    if blob.properties.details.kind != APPEND_BLOB or not blob.properties.details.sealed:
        check_append(blob, 0, wanted)
        blob = await call.store.update(call.address, _sealed, conditions_of(call.request.headers))
    headers = {**version_headers(blob.stamp), "x-ms-blob-sealed": "true"}
    return Response(status_code=HTTPStatus.OK, headers=headers)


def _sealed(said: Properties) -> Properties:
    return dataclasses.replace(said, details=dataclasses.replace(said.details, sealed=True))


def _appended(blob: Blob, size: int, echo: dict[str, str]) -> Response:
    headers = {
        **version_headers(blob.stamp),
        **echo,
        "x-ms-blob-append-offset": str(blob.size - size),
        "x-ms-blob-committed-block-count": str(blob.properties.details.appended),
        "x-ms-request-server-encrypted": "false",
    }
    return Response(status_code=HTTPStatus.CREATED, headers=headers)
