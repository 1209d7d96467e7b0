"""Blob tags and Find Blobs by Tags."""

from __future__ import annotations

import dataclasses
import re
from http import HTTPStatus

from starlette.responses import Response

from lazulite.blobs.calls import Call, xml_response
from lazulite.blobs.documents import DECLARATION, element, tags_element
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import check_supported, conditions_of
from lazulite.blobs.listing import decode_marker, encode_marker
from lazulite.blobs.tags import CONTAINER, checked_tags, parse_expression
from lazulite.blobs.values import Blob
from lazulite.blobs.xml_reader import read_xml

BODY_LIMIT = 64 << 10  # bytes
FIND_LIMIT = 5000
OR = re.compile(r"\bOR\b", re.IGNORECASE)
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


async def set_tags(call: Call) -> Response:
    """Set Blob Tags: replaces all; the blob's ETag stays."""
    check_supported(call.request.headers)
    tree = read_xml(await call.body(BODY_LIMIT), "Tags")
    pairs = [(one.findtext("Key") or "", one.findtext("Value") or "") for one in tree.iter("Tag")]
    tags = checked_tags(pairs)
    await call.store.amend(
        call.address,
        lambda said: dataclasses.replace(
            said, details=dataclasses.replace(said.details, tags=tags)
        ),
        conditions_of(call.request.headers),
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def get_tags(call: Call) -> Response:
    """Get Blob Tags, of a snapshot, too."""
    opened = await call.open(conditions_of(call.request.headers))
    opened.close()
    return xml_response(DECLARATION + tags_element(opened.blob.properties.details.tags))


async def find_blobs(call: Call) -> Response:
    """Find Blobs by Tags, in an account or a container. Source: learn.microsoft.com."""
    where = call.query.get("where", "")
    if OR.search(QUOTED.sub("", where)):
        raise BlobError("InvalidQueryParameterValue", "where joins by AND only.")
    matches = parse_expression(where, "InvalidQueryParameterValue")
    limit = min(call.integer("maxresults", FIND_LIMIT, range(1, 1 << 31)), FIND_LIMIT)
    low = decode_marker(call.query.get("marker", ""))
    found = [
        blob
        for blob in await call.store.tagged(call.target.account, call.target.container)
        if _place(blob) >= low
        and matches({**blob.properties.details.tags, CONTAINER: blob.address.container})
    ]
    page, rest = found[:limit], found[limit:]
    marker = encode_marker(_place(rest[0])) if rest else ""
    return xml_response(
        f"{DECLARATION}<EnumerationResults>{element('Where', where)}"
        f"<Blobs>{''.join(_blob_element(blob) for blob in page)}</Blobs>"
        f"{element('NextMarker', marker)}</EnumerationResults>"
    )


def _place(blob: Blob) -> str:
    return f"{blob.address.container}/{blob.address.name}"


def _blob_element(blob: Blob) -> str:
    return (
        f"<Blob>{element('Name', blob.address.name)}"
        f"{element('ContainerName', blob.address.container)}"
        f"{tags_element(blob.properties.details.tags)}</Blob>"
    )
