"""What the path of a blob request names, in the path style: /{account}[.blob.{suffix}]/{c}/{b}."""

from __future__ import annotations

import dataclasses
from urllib.parse import unquote_to_bytes

from lazulite.blobs.errors import BlobError


@dataclasses.dataclass(frozen=True)
class Target:
    """container, blob: "" above that level."""

    account: str
    container: str = ""
    blob: str = ""


def parse_target(raw_path: str) -> Target:
    """Take the path apart as it is on the wire; each part is decoded exactly once.

    Raises BlobError for what is not UTF-8.
    """
    first, _, rest = raw_path.lstrip("/").partition("/")
    container, _, blob = rest.partition("/")
    account = _decoded(first).partition(".blob.")[0]
    return Target(account, _decoded(container), _decoded(blob))


def _decoded(raw: str) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise BlobError("InvalidUri", f"{raw!r} is not percent-encoded UTF-8.") from error
