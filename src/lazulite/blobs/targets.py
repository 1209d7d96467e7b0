"""What a blob request names, with the account in the host or in the path.

{account}.blob.{suffix}/{container}/{blob}     {account}.localhost/{container}/{blob}
{server}/{account}[.blob.{suffix}]/{container}/{blob}
"""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import unquote_to_bytes

from lazulite.blobs.errors import BlobError

HOST = re.compile(r"([a-z0-9]{3,24})(?:-secondary)?\.(?:blob\.[a-z0-9.-]+|localhost)(?::[0-9]+)?")
SECONDARY = "-secondary"


@dataclasses.dataclass(frozen=True)
class Target:
    """container, blob: "" above that level."""

    account: str
    container: str = ""
    blob: str = ""


def account_of_host(host: str) -> str:
    """The account that a Host header names; "" if it names none."""
    match = HOST.fullmatch(host.lower())
    return match[1] if match else ""


def parse_target(host: str, raw_path: str) -> Target:
    """Take the path apart as it is on the wire; each part is decoded exactly once.

    A secondary account is the same as its primary one. Raises BlobError for what is not UTF-8.
    """
    account, rest = account_of_host(host), raw_path.lstrip("/")
    if not account:
        first, _, rest = rest.partition("/")
        account = _decoded(first).partition(".blob.")[0].removesuffix(SECONDARY)
    container, _, blob = rest.partition("/")
    return Target(account, _decoded(container), _decoded(blob))


def _decoded(raw: str) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise BlobError("InvalidUri", f"{raw!r} is not percent-encoded UTF-8.") from error
