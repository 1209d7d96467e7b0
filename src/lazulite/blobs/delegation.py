"""User delegation: a key for a token's bearer, who signs with it what they may do themselves.

The key is derived from the account's key and from what it says of itself, so nothing is kept, and
new account keys void it. Source: "Create a user delegation SAS", learn.microsoft.com.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from lazulite.blobs.errors import BlobError
from lazulite.blobs.xml_reader import read_xml, text_of

LONGEST = timedelta(days=7)
SERVICE = "b"


@dataclasses.dataclass(frozen=True)
class Span:
    """From when to when a key is good, as texts in ISO 8601, and the version that signs."""

    start: str
    expiry: str
    version: str


@dataclasses.dataclass(frozen=True)
class DelegationKey:
    """A key, and whose it is."""

    object_id: str
    tenant_id: str
    span: Span
    value: bytes


def read_span(body: bytes, version: str, now: datetime) -> Span:
    """The body of Get User Delegation Key. Raises BlobError 400."""
    tree = read_xml(body, "KeyInfo")
    start = _moment(text_of(tree, "Start") or _text(now), "Start")
    expiry = _moment(text_of(tree, "Expiry"), "Expiry")
    if not now < expiry <= now + LONGEST or start > expiry:
        message = "Expiry must lie in the next seven days, and Start before it."
        raise BlobError("InvalidXmlNodeValue", message)
    return Span(_text(start), _text(expiry), version)


def derive(account_key: bytes, object_id: str, tenant_id: str, span: Span) -> DelegationKey:
    """The same key each time for the same values."""
    said = "\n".join([object_id, tenant_id, span.start, span.expiry, SERVICE, span.version])
    value = hmac.digest(account_key, f"user delegation\n{said}".encode(), hashlib.sha256)
    return DelegationKey(object_id, tenant_id, span, value)


def keys_of(said: Mapping[str, str], account_keys: Sequence[bytes], now: datetime) -> list[bytes]:
    """The keys that may have signed a user delegation SAS. Raises BlobError 403."""
    missing = [
        name for name in ("skoid", "sktid", "skt", "ske", "sks", "skv") if not said.get(name)
    ]
    if missing:
        raise BlobError("AuthenticationFailed", f"The SAS lacks {', '.join(missing)}.")
    if said["sks"] != SERVICE:
        raise BlobError("AuthorizationServiceMismatch")
    span = Span(said["skt"], said["ske"], said["skv"])
    if not _moment(span.start, "skt") <= now < _moment(span.expiry, "ske"):
        raise BlobError("AuthenticationFailed", f"The key is good {span.start} to {span.expiry}.")
    return [derive(key, said["skoid"], said["sktid"], span).value for key in account_keys]


def key_document(key: DelegationKey) -> str:
    """The body of the answer."""
    said = {
        "SignedOid": key.object_id,
        "SignedTid": key.tenant_id,
        "SignedStart": key.span.start,
        "SignedExpiry": key.span.expiry,
        "SignedService": SERVICE,
        "SignedVersion": key.span.version,
        "Value": base64.b64encode(key.value).decode(),
    }
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    return f'<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>{inside}</UserDelegationKey>'


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{name} {text[:40]!r} is not a time in ISO 8601."
        raise BlobError("InvalidXmlNodeValue", message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
