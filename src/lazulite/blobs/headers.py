"""Headers of the Blob service, to values and back."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lazulite.blobs.conditions import Conditions
from lazulite.blobs.details import APPEND_BLOB, Details
from lazulite.blobs.documents import http_date
from lazulite.blobs.errors import BlobError
from lazulite.blobs.tags import parse_expression, tags_of_header
from lazulite.blobs.values import DEFAULT_CONTENT_TYPE, Blob, Container, Expected, Properties, Stamp

METADATA = "x-ms-meta-"
METADATA_NAME = re.compile(r"[a-z_][a-z0-9_]*")
METADATA_BYTES = 8192
RANGE = re.compile(r"bytes=([0-9]{1,19})-([0-9]{0,19})")
TIERS = frozenset({"Hot", "Cool", "Cold", "Archive"})
LENGTH = re.compile(r"[0-9]{1,19}")
DIGEST_BYTES = {"md5": 16, "crc64": 8}
UNSUPPORTED = (
    "x-ms-encryption-key", "x-ms-encryption-scope", "x-ms-structured-body",
    "x-ms-immutability-policy-until-date", "x-ms-immutability-policy-mode", "x-ms-legal-hold",
)  # fmt: skip
SAS_OVERRIDES = {
    "rscc": "Cache-Control",
    "rscd": "Content-Disposition",
    "rsce": "Content-Encoding",
    "rscl": "Content-Language",
    "rsct": "Content-Type",
}

Headers = Mapping[str, str]


def check_supported(headers: Headers) -> None:
    """Refuse what would be dropped silently otherwise. Raises BlobError."""
    for name in UNSUPPORTED:
        if name in headers:
            raise BlobError("UnsupportedHeader", f"The header {name} is not supported; omit it.")


def conditions_of(headers: Headers) -> Conditions:
    """The conditional headers and the lease. Raises BlobError on what cannot be read."""
    tags = headers.get("x-ms-if-tags")
    return dataclasses.replace(
        _versions_of(headers, ""),
        tags=parse_expression(tags, "InvalidHeaderValue") if tags else None,
        lease=headers.get("x-ms-lease-id"),
    )


def source_conditions_of(headers: Headers) -> Conditions:
    """The conditions on the source of a copy."""
    return _versions_of(headers, "x-ms-source-")


def _versions_of(headers: Headers, prefix: str) -> Conditions:
    return Conditions(
        headers.get(f"{prefix}if-match"),
        headers.get(f"{prefix}if-none-match"),
        _date(headers, f"{prefix}if-modified-since"),
        _date(headers, f"{prefix}if-unmodified-since"),
    )


def tier_of(headers: Headers) -> str:
    """The access tier that is asked for; "" for none. Raises BlobError 400."""
    tier = headers.get("x-ms-access-tier", "")
    if tier and tier not in TIERS:
        message = f"x-ms-access-tier {tier[:40]!r} is not one of {', '.join(sorted(TIERS))}."
        raise BlobError("InvalidHeaderValue", message)
    return tier


def details_of(headers: Headers, kind: str, now: datetime) -> Details:
    """What the headers of a new blob say besides its properties. Raises BlobError."""
    tier = tier_of(headers)
    return Details(
        kind=kind,
        tier=tier,
        tier_changed=http_date(now) if tier else "",
        tags=tags_of_header(headers.get("x-ms-tags", "")),
    )


def properties_of(headers: Headers, *, content_type: str = "") -> Properties:
    """The x-ms-blob- headers. content_type: what to take where none is given."""
    media = headers.get("x-ms-blob-content-type") or content_type or DEFAULT_CONTENT_TYPE
    md5 = digest_of(headers, "x-ms-blob-content-md5", "md5")
    return Properties(
        content_type=media,
        content_encoding=headers.get("x-ms-blob-content-encoding", ""),
        content_language=headers.get("x-ms-blob-content-language", ""),
        content_disposition=headers.get("x-ms-blob-content-disposition", ""),
        cache_control=headers.get("x-ms-blob-cache-control", ""),
        md5=md5,
        metadata=metadata_of(headers),
    )


def metadata_of(headers: Headers) -> dict[str, str]:
    """The x-ms-meta- headers. Raises BlobError on bad names and on more than 8 KiB."""
    said = {
        name.removeprefix(METADATA): value.strip()
        for name, value in headers.items()
        if name.startswith(METADATA)
    }
    for name in said:
        if not name:
            raise BlobError("EmptyMetadataKey")
        if not METADATA_NAME.fullmatch(name):
            message = f"Metadata name {name!r}: letters, digits and underscores, no digit first."
            raise BlobError("InvalidMetadata", message)
    if sum(len(name) + len(value) for name, value in said.items()) > METADATA_BYTES:
        raise BlobError("MetadataTooLarge")
    return said


def expected_of(headers: Headers, *, limit: int, hashed: bool) -> Expected:
    """What the headers say of the body. Raises BlobError without a Content-Length."""
    text = headers.get("content-length", "")
    if not LENGTH.fullmatch(text):
        raise BlobError("MissingContentLengthHeader")
    length = int(text)
    if length > limit:
        message = f"The body has {length} bytes; {limit} are allowed. Upload it in blocks."
        raise BlobError("RequestBodyTooLarge", message)
    md5 = digest_of(headers, "content-md5", "md5")
    crc64 = digest_of(headers, "x-ms-content-crc64", "crc64")
    return Expected(limit, length, md5, crc64, hashed or md5 is not None)


def range_of(headers: Headers, size: int) -> tuple[int, int] | None:
    """The bytes that are asked for, as start and stop; None for all of them.

    Raises BlobError 416 for a range outside of the blob. Several ranges are no valid value.
    """
    return span_of(headers.get("x-ms-range") or headers.get("range"), size)


def span_of(text: str | None, size: int) -> tuple[int, int] | None:
    """The same of a header's value; None where it is not sent."""
    if text is None:
        return None
    match = RANGE.fullmatch(text.strip())
    if match is None:
        raise BlobError("InvalidHeaderValue", f"Range {text[:100]!r} is not bytes=first-last.")
    first, last = int(match[1]), int(match[2] or size)
    if first >= size or last < first:
        raise BlobError("InvalidRange", headers={"Content-Range": f"bytes */{size}"})
    return first, min(last + 1, size)


def version_headers(stamp: Stamp) -> dict[str, str]:
    """The version of a blob."""
    return {"ETag": stamp.etag, "Last-Modified": http_date(stamp.modified)}


def container_headers(container: Container) -> dict[str, str]:
    """A container, with metadata."""
    return {
        "ETag": container.etag,
        "Last-Modified": http_date(container.modified),
        "x-ms-has-immutability-policy": "false",
        "x-ms-has-legal-hold": "false",
        "x-ms-default-encryption-scope": "$account-encryption-key",
        "x-ms-deny-encryption-scope-override": "false",
        **({"x-ms-blob-public-access": public} if (public := container.access.public) else {}),
        **{METADATA + name: value for name, value in container.metadata.items()},
    }


def blob_headers(blob: Blob) -> dict[str, str]:
    """A blob with properties and metadata; Content-Length is the caller's.

    The sandbox keeps an uploaded page from acting on the origin that it shares with the server.
    """
    said = blob.properties
    optional = {
        "Content-Encoding": said.content_encoding,
        "Content-Language": said.content_language,
        "Content-Disposition": said.content_disposition,
        "Cache-Control": said.cache_control,
    }
    return {
        **version_headers(blob.stamp),
        **{name: value for name, value in optional.items() if value},
        **{METADATA + name: value for name, value in said.metadata.items()},
        "Content-Type": said.content_type,
        "Accept-Ranges": "bytes",
        "x-ms-creation-time": http_date(blob.created),
        "x-ms-server-encrypted": "false",
        **_details_headers(said.details),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


def _details_headers(said: Details) -> dict[str, str]:
    headers = {"x-ms-blob-type": said.kind}
    if said.kind == APPEND_BLOB:
        headers["x-ms-blob-committed-block-count"] = str(said.appended)
        if said.sealed:
            headers["x-ms-blob-sealed"] = "true"
    elif said.tier:
        headers |= {
            "x-ms-access-tier": said.tier,
            "x-ms-access-tier-change-time": said.tier_changed,
        }
    else:
        headers |= {"x-ms-access-tier": "Hot", "x-ms-access-tier-inferred": "true"}
    if said.tags:
        headers["x-ms-tag-count"] = str(len(said.tags))
    if said.copied is not None:
        headers |= {
            "x-ms-copy-id": said.copied.id,
            "x-ms-copy-source": said.copied.source,
            "x-ms-copy-status": "success",
            "x-ms-copy-progress": f"{said.copied.size}/{said.copied.size}",
            "x-ms-copy-completion-time": said.copied.completed,
        }
    return headers


def overridden(headers: dict[str, str], query: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer, with what a service SAS says of them."""
    if "sr" not in query or "sig" not in query:
        return headers
    said = {header: query[name] for name, header in SAS_OVERRIDES.items() if query.get(name)}
    if not all(value.isascii() and value.isprintable() for value in said.values()):
        message = "A response header in the SAS must be printable ASCII."
        raise BlobError("InvalidQueryParameterValue", message)
    return headers | said


def encoded(digest: bytes) -> str:
    """A digest as headers carry it."""
    return base64.b64encode(digest).decode()


def checked_echo(expected: Expected) -> dict[str, str]:
    """The checksums that were held against a body, as the answer repeats them."""
    checked = {"Content-MD5": expected.md5, "x-ms-content-crc64": expected.crc64}
    return {name: encoded(digest) for name, digest in checked.items() if digest is not None}


def count_of(headers: Headers, name: str) -> int | None:
    """A number of bytes; None where it is not sent. Raises BlobError 400."""
    text = headers.get(name)
    if text is None:
        return None
    if not LENGTH.fullmatch(text):
        raise BlobError("InvalidHeaderValue", f"{name} {text[:40]!r} is not a number of bytes.")
    return int(text)


def only_if_new(conditions: Conditions) -> Conditions:
    """The same, and not over a blob that is there."""
    return dataclasses.replace(conditions, if_none_match="*")


def digest_of(headers: Headers, name: str, kind: str) -> bytes | None:
    """A checksum, "md5" or "crc64"; None where it is not sent. Raises BlobError 400."""
    text = headers.get(name)
    if not text:
        return None
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != DIGEST_BYTES[kind]:
        message = f"{name} {text!r} is not {DIGEST_BYTES[kind]} bytes in base64."
        raise BlobError("InvalidHeaderValue", message)
    return digest


def _date(headers: Headers, name: str) -> datetime | None:
    text = headers.get(name)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError) as error:
        raise BlobError("InvalidHeaderValue", f"{name} {text!r} is not an HTTP date.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
