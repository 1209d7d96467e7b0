"""Copy sources: URLs of blobs of this server, read under their own authorization.

No URL is fetched: what names another server is refused by name. Source: spec/SECURITY.md 2.4.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request

from lazulite.blobs.authorization import Authorize
from lazulite.blobs.calls import Call
from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress, container_parts
from lazulite.blobs.opened import OpenBlob
from lazulite.blobs.signatures import Permission, parse_query
from lazulite.blobs.targets import Target, parse_target

URL_CHARACTERS = 2048
PRINTABLE = re.compile(r"[!-~]+")
SOURCE_TOKEN = "x-ms-copy-source-authorization"  # noqa: S105 - the name of a header


async def open_source(
    call: Call, url: str, authorize: Authorize, hosts: frozenset[str]
) -> OpenBlob:
    """The blob, or snapshot, that a URL names, to be closed by the caller.

    hosts: under which this server is reached. Raises BlobError: 400 for what is no blob's URL here,
    403 if the caller may not read it, 404 if it is not there.
    """
    parts = _parts(url)
    own = {call.request.headers.get("host", "").lower(), *hosts}
    if parts.netloc.lower() not in own and _server_of(parts.netloc.lower()) not in own:
        message = f"The source host {parts.netloc!r} is not this server, and no other is asked."
        raise BlobError("CannotVerifyCopySource", message)
    target = parse_target(parts.netloc, parts.path)
    if not target.blob:
        raise BlobError("InvalidSourceBlobUrl", f"{url[:200]!r} names no blob.")
    container_parts(target.account, target.container)
    query = dict(parse_query(parts.query))
    await _permit(call, parts, target, authorize)
    address = BlobAddress(target.account, target.container, target.blob)
    if "snapshot" in query:
        return await call.store.open_snapshot(address, query["snapshot"])
    return await call.store.open(address)


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
    return re.sub(r"^[a-z0-9]{3,24}(?:-secondary)?\.(?:blob\.)?", "", netloc)


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
