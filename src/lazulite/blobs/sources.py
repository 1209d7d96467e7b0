"""Copy sources: URLs of blobs of this server, read under their own authorization, and of others.

A URL that names this server is never fetched. Source: spec/SECURITY.md 2.4.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request

from lazulite.blobs.authorization import Authorize, Grants
from lazulite.blobs.calls import Call
from lazulite.blobs.conditions import check_change
from lazulite.blobs.errors import BlobError
from lazulite.blobs.headers import source_conditions_of
from lazulite.blobs.names import BlobAddress, container_parts
from lazulite.blobs.opened import Source
from lazulite.blobs.signatures import SIGNED_VERSION, Permission, parse_query
from lazulite.blobs.targets import Target, parse_target

URL_CHARACTERS = 2048
PRINTABLE = re.compile(r"[!-~]+")
SOURCE_TOKEN = "x-ms-copy-source-authorization"  # noqa: S105 - the name of a header
PASSED_ON = {
    "x-ms-source-range": "Range",
    "x-ms-source-if-match": "If-Match",
    "x-ms-source-if-none-match": "If-None-Match",
    "x-ms-source-if-modified-since": "If-Modified-Since",
    "x-ms-source-if-unmodified-since": "If-Unmodified-Since",
}
"""Headers for the source of a copy, and what they are for a server that has it."""


async def open_source(call: Call, url: str, authorize: Authorize, grants: Grants) -> Source:
    """The blob, or snapshot, that a URL names, to be closed by the caller.

    Raises BlobError: 400 for what is no blob's URL, CannotVerifyCopySource with the reason if it
    cannot be read or the caller may not, SourceConditionNotMet.
    """
    parts = _parts(url)
    host, own = parts.netloc.lower(), {call.request.headers.get("host", "").lower(), *grants.hosts}
    if host in own or _server_of(host) in own:
        return await _open_own(call, parts, authorize)
    if grants.outside is None:
        message = f"The source host {parts.netloc!r} is not this server, and no other is asked."
        raise BlobError("CannotVerifyCopySource", message)
    return await grants.outside.open(url, _sent(parts, call.request.headers))


async def _open_own(call: Call, parts: SplitResult, authorize: Authorize) -> Source:
    target = parse_target(parts.netloc, parts.path)
    if not target.blob:
        raise BlobError("InvalidSourceBlobUrl", f"{parts.path[:200]!r} names no blob.")
    container_parts(target.account, target.container)
    query = dict(parse_query(parts.query))
    await _permit(call, parts, target, authorize)
    address = BlobAddress(target.account, target.container, target.blob)
    if "snapshot" in query:
        opened = await call.store.open_snapshot(address, query["snapshot"])
    else:
        opened = await call.store.open(address)
    try:
        check_change(source_conditions_of(call.request.headers), opened.blob.stamp)
    except BlobError as error:
        opened.close()
        raise BlobError("SourceConditionNotMet") from error
    return opened


def _sent(parts: SplitResult, given: Headers) -> dict[str, str]:
    """What another server is told. Raises BlobError for a token that would go out unencrypted."""
    sent = {header: given[name] for name, header in PASSED_ON.items() if name in given}
    if token := given.get(SOURCE_TOKEN):
        if parts.scheme != "https":
            message = f"{SOURCE_TOKEN} is sent to https sources only."
            raise BlobError("CannotVerifyCopySource", message)
        sent |= {"Authorization": token, "x-ms-version": SIGNED_VERSION}
    return sent


def _parts(url: str) -> SplitResult:
    if len(url) > URL_CHARACTERS or not PRINTABLE.fullmatch(url):
        message = "x-ms-copy-source must be a URL of up to 2048 printable ASCII characters."
        raise BlobError("InvalidHeaderValue", message)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BlobError("InvalidHeaderValue", f"{url[:200]!r} is no URL.") from error
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or parts.fragment:
        message = f"{url[:200]!r}: a source is http or https, without user and fragment."
        raise BlobError("InvalidHeaderValue", message)
    return parts


def _server_of(netloc: str) -> str:
    """A host without the account in front of it."""
    return re.sub(r"^[a-z0-9]{3,24}(?:-secondary)?\.(?:blob\.(?:core\.)?)?", "", netloc)


async def _permit(call: Call, parts: SplitResult, target: Target, authorize: Authorize) -> None:
    """Raises BlobError CannotVerifyCopySource unless the source may be read."""
    given = call.request.headers.get("authorization", "")
    same_account = target.account == call.target.account
    if same_account and given.lower().startswith("sharedkey ") and "sig=" not in parts.query:
        return  # the key of the request opens the whole account
    token = call.request.headers.get(SOURCE_TOKEN, "")
    if not token and same_account and given.lower().startswith("bearer "):
        token = given
    asked = Request(
        {
            **call.request.scope,
            "method": "GET",
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(b"authorization", token.encode("latin-1"))] if token else [],
        }
    )
    try:
        await authorize(asked, target.account, Permission.READ, target.container, target.blob)
    except BlobError as error:
        message = f"The source cannot be read ({error.code}): {error.message}"
        raise BlobError("CannotVerifyCopySource", message, status=403) from error
