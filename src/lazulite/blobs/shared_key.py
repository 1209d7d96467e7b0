"""SharedKey authorization of the Blob service. Pure: the request and the time are arguments.

Source: "Authorize with Shared Key", learn.microsoft.com.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from lazulite.blobs.signatures import Query, is_signed, refused

CLOCK_SKEW = timedelta(minutes=15)
SIGNED_HEADERS = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type",
    "date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class SignedRequest:
    """What a shared key signs. raw_path: as on the wire; headers: lower-case names."""

    method: str
    raw_path: str
    query: Query
    headers: Mapping[str, str]


def check_shared_key(
    request: SignedRequest, account: str, keys: Sequence[bytes], now: datetime
) -> None:
    """Check the Authorization header "SharedKey name:signature". Raises BlobError 403.

    The name may be the account or the "{account}.blob.{suffix}" of a path-style URL, which is what
    clients take for the account on localhost.
    """
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    name, _, signature = credential.strip().rpartition(":")
    if scheme.lower() != "sharedkey" or name.partition(".blob.")[0] != account:
        raise refused(f"The Authorization header is not a SharedKey of account {account!r}.")
    _check_date(request.headers, now)
    texts = strings_to_sign(request, name)
    if not any(is_signed(text, signature, keys) for text in texts):
        raise refused(f"The MAC signature differs. String to sign: {texts[0]!r}.")


def strings_to_sign(request: SignedRequest, name: str) -> list[str]:
    """What a client may have signed: x-ms- headers are sorted by code or by culture, as it likes.

    name: as it stands in the Authorization header.
    """
    headers = dict(request.headers)
    if headers.get("content-length") == "0":
        headers["content-length"] = ""
    if "x-ms-date" in headers:
        headers["date"] = ""
    fixed = [request.method, *(headers.get(header, "") for header in SIGNED_HEADERS)]
    own = [header for header in headers if header.startswith("x-ms-")]
    resource = f"/{name}{request.raw_path}{_canonical_query(request.query)}"
    orders = {tuple(sorted(own)): None, tuple(sorted(own, key=_culture_key)): None}
    return [
        "\n".join([*fixed, *(f"{header}:{headers[header].strip()}" for header in order), resource])
        for order in orders
    ]


def _check_date(headers: Mapping[str, str], now: datetime) -> None:
    """A signed request is good for a quarter of an hour, so that it cannot be replayed for ever."""
    text = headers.get("x-ms-date") or headers.get("date") or ""
    try:
        sent = parsedate_to_datetime(text)
    except (TypeError, ValueError) as error:
        raise refused("The request has no valid x-ms-date or Date header.") from error
    sent = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    if abs(now - sent) > CLOCK_SKEW:
        raise refused(f"The request is of {text}, more than 15 minutes off. Set the clock.")


def _canonical_query(query: Query) -> str:
    values: dict[str, list[str]] = {}
    for name, value in query:
        values.setdefault(name.lower(), []).append(value)
    return "".join(f"\n{name}:{','.join(sorted(values[name]))}" for name in sorted(values))


def _culture_key(header: str) -> tuple[str, str]:
    """The order of .NET cultures, which some clients sort by: hyphens count last, "_" first."""
    return header.replace("-", "").replace("_", " "), header
