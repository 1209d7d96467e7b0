"""Shared access signatures (SAS) of the Blob service: checking and minting.

Pure: the request, the keys and the time are arguments. Source: "Create a service SAS" and "Create
an account SAS", learn.microsoft.com. Signed versions from 2018-11-09 on are understood.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from lazulite.blobs.errors import BlobError
from lazulite.blobs.values import Policy

Query = Sequence[tuple[str, str]]
"""Parameters in the order of the URL, percent-decoded once."""

SIGNED_VERSION = "2023-11-03"
OLDEST_VERSION = "2018-11-09"
DELEGATED_VERSION = "2020-02-10"  # from here on "saoid", "suoid" and "scid" are signed
DELEGATED_USER_VERSION = "2025-07-05"  # and from here on "skdutid" and "sduoid"
REQUEST_HEADERS_VERSION = "2026-04-06"  # and from here on "srh" and "srq"
ENCRYPTION_SCOPE_VERSION = "2020-12-06"  # from here on "ses" is part of what is signed
VERSION = re.compile(r"\d{4}-\d\d-\d\d")
PERMISSION_ORDER = "racwdxyltmeopi"


class Permission(enum.StrEnum):
    """What an operation needs, in the letters of a SAS; a word where no SAS is enough."""

    READ = "r"
    ADD = "a"
    CREATE = "c"
    WRITE = "w"
    DELETE = "d"
    LIST = "l"
    TAGS = "t"
    FILTER = "f"
    GET_ACL = "getAcl"
    SET_ACL = "setAcl"
    DELEGATE = "delegate"


@dataclasses.dataclass(frozen=True)
class Use:
    """What a SAS is presented for. container, blob: None above that level; ip: the sender's."""

    account: str
    permission: Permission
    container: str | None
    blob: str | None
    now: datetime
    scheme: str
    ip: str | None


@dataclasses.dataclass(frozen=True)
class Grant:
    """What a SAS allows, and when. ip: an address or "first-last"; protocol: "https" or both."""

    permissions: str
    expiry: datetime
    start: datetime | None = None
    ip: str = ""
    protocol: str = ""


def parse_query(raw: str) -> Query:
    """The parameters of a raw query string, decoded once; "+" is a plus sign."""
    pairs = (part.partition("=") for part in raw.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


def check_sas(query: Query, use: Use, keys: Sequence[bytes], policy: Policy | None = None) -> None:
    """Check a SAS in a query against what it is used for. Raises BlobError 403.

    keys: of the account, or of the user delegation that the SAS names; policy: the stored one that
    it names.
    """
    said = dict(query)
    if len(said) != len(query):
        raise refused("A query parameter is given twice.")
    version = said.get("sv", "")
    if "srh" in said or "srq" in said or "sduoid" in said:
        raise refused("A SAS for certain headers, parameters or another user is not supported.")
    if not VERSION.fullmatch(version) or version < OLDEST_VERSION:
        raise refused(f"Signed version {version!r} is not supported; use {SIGNED_VERSION}.")
    if "ss" in said:
        text = _account_text(use.account, said)
    else:
        text = _service_text(_signed_resource(said, use), said)
    if not is_signed(text, said.get("sig", ""), keys):
        raise refused(f"The signature differs. String to sign: {text!r}.")
    said = _completed(said, policy)
    _check_time(said, use.now)
    _check_circumstances(said, use)
    _check_scope(said, use)


def _completed(said: dict[str, str], policy: Policy | None) -> dict[str, str]:
    """With what the stored access policy says; nothing may be said twice. Raises BlobError 403."""
    if not said.get("si"):
        return said
    if policy is None:
        raise refused(f"The container has no stored access policy {said['si']!r}.")
    stored = {"sp": policy.permission, "st": policy.start, "se": policy.expiry}
    for name, value in stored.items():
        if value and said.get(name):
            raise refused(f"The SAS and its stored access policy both say {name!r}.")
    return {**said, **{name: value for name, value in stored.items() if value}}


def sign_account(account: str, key: bytes, grant: Grant, resource_types: str = "sco") -> str:
    """An account SAS for the Blob service, as a query string. resource_types: of s, c, o."""
    said = {"ss": "b", "srt": resource_types} | _granted(grant)
    return _signed(said, _account_text(account, said), key)


def sign_container(account: str, key: bytes, grant: Grant, container: str) -> str:
    """A service SAS for a container and all its blobs, as a query string."""
    said = {"sr": "c"} | _granted(grant)
    return _signed(said, _service_text(f"{account}/{container}", said), key)


def sign_blob(account: str, key: bytes, grant: Grant, path: str) -> str:
    """A service SAS for one blob, as a query string. path: "container/blob name"."""
    said = {"sr": "b"} | _granted(grant)
    return _signed(said, _service_text(f"{account}/{path}", said), key)


def sign_directory(account: str, key: bytes, grant: Grant, path: str) -> str:
    """A service SAS for all blobs below a folder, as a query string. path: "container/folder"."""
    said = {"sr": "d", "sdd": str(path.strip("/").count("/"))} | _granted(grant)
    return _signed(said, _service_text(f"{account}/{path.strip('/')}", said), key)


def _granted(grant: Grant) -> dict[str, str]:
    unknown = set(grant.permissions) - set(PERMISSION_ORDER)
    if unknown:
        raise ValueError(f"SAS permissions {grant.permissions!r}: {sorted(unknown)} are unknown")
    said = {
        "sp": "".join(sorted(set(grant.permissions), key=PERMISSION_ORDER.index)),
        "st": _moment(grant.start) if grant.start else "",
        "se": _moment(grant.expiry),
        "sip": grant.ip,
        "spr": grant.protocol,
        "sv": SIGNED_VERSION,
    }
    return {name: value for name, value in said.items() if value}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _signed(said: Mapping[str, str], text: str, key: bytes) -> str:
    pairs = {**said, "sig": sign(text, key)}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items())


def sign(text: str, key: bytes) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.digest(key, text.encode(), hashlib.sha256)).decode()


def is_signed(text: str, signature: str, keys: Iterable[bytes]) -> bool:
    """In a time that does not tell which bytes, or which key, were right."""
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    digests = [hmac.digest(key, text.encode(), hashlib.sha256) for key in keys]
    return any([hmac.compare_digest(digest, given) for digest in digests])  # noqa: C419 - all keys


def _account_text(account: str, said: Mapping[str, str]) -> str:
    names = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"]
    if said["sv"] >= ENCRYPTION_SCOPE_VERSION:
        names.append("ses")
    return "\n".join([account, *(said.get(name, "") for name in names), ""])


def _service_text(resource: str, said: Mapping[str, str]) -> str:
    before = [said.get(name, "") for name in ("sp", "st", "se")]
    delegated = "skoid" in said
    names = _delegation_names(said["sv"]) if delegated else ["si"]
    names += ["sip", "spr", "sv", "sr", "snapshot" if said.get("sr") == "bs" else ""]
    if said["sv"] >= ENCRYPTION_SCOPE_VERSION:
        names.append("ses")
    if delegated and said["sv"] >= REQUEST_HEADERS_VERSION:
        names += ["", ""]  # srh and srq, which are refused
    names += ["rscc", "rscd", "rsce", "rscl", "rsct"]
    return "\n".join([*before, f"/blob/{resource}", *(said.get(name, "") for name in names)])


def _delegation_names(version: str) -> list[str]:
    names = ["skoid", "sktid", "skt", "ske", "sks", "skv"]
    if version >= DELEGATED_VERSION:
        names += ["saoid", "suoid", "scid"]
    if version >= DELEGATED_USER_VERSION:
        names += ["skdutid", "sduoid"]
    return names


def _signed_resource(said: Mapping[str, str], use: Use) -> str:
    """The resource that the SAS must be for, to cover this use."""
    if use.container is None:
        raise BlobError("AuthorizationResourceTypeMismatch")
    kind, root = said.get("sr"), f"{use.account}/{use.container}"
    if kind == "c":
        return root
    if use.blob is None:
        raise BlobError("AuthorizationResourceTypeMismatch")
    if kind == "b" or (kind == "bs" and said.get("snapshot")):
        return f"{root}/{use.blob}"
    depth, segments = said.get("sdd", ""), use.blob.split("/")
    if kind == "d" and re.fullmatch(r"[0-9]{1,3}", depth) and 0 < int(depth) < len(segments):
        return "/".join([root, *segments[: int(depth)]])
    raise BlobError("AuthorizationResourceTypeMismatch")


def _check_scope(said: Mapping[str, str], use: Use) -> None:
    allowed = set(said.get("sp", ""))
    if "w" in allowed:
        allowed |= {"c", "a"}
    if use.permission not in allowed:
        need = use.permission.name.lower()
        message = f"The SAS grants {said.get('sp')!r}, the operation needs {need!r}."
        raise BlobError("AuthorizationPermissionMismatch", message)
    if "ss" not in said:
        if use.blob is None and use.permission not in {Permission.LIST, Permission.FILTER}:
            raise BlobError("AuthorizationResourceTypeMismatch")
        return
    level = "s" if use.container is None else "c" if use.blob is None else "o"
    if "b" not in said["ss"]:
        raise BlobError("AuthorizationServiceMismatch")
    if level not in said.get("srt", ""):
        raise BlobError("AuthorizationResourceTypeMismatch")


def _check_time(said: Mapping[str, str], now: datetime) -> None:
    start, expiry = said.get("st"), said.get("se", "")
    if start and now < _instant(start):
        raise refused(f"The SAS is not valid before {start}.")
    if now >= _instant(expiry):
        raise refused(f"The SAS expired at {expiry}. Ask for a new one.")


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise refused(f"{text!r} is not a time in ISO 8601.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_circumstances(said: Mapping[str, str], use: Use) -> None:
    protocols = said.get("spr") or "https,http"
    if use.scheme not in protocols.split(","):
        raise BlobError("AuthorizationProtocolMismatch")
    addresses = said.get("sip")
    if addresses and not _is_from(addresses, use.ip):
        raise BlobError("AuthorizationSourceIPMismatch")


def _is_from(addresses: str, ip: str | None) -> bool:
    first, _, last = addresses.partition("-")
    try:
        low = ipaddress.ip_address(first)
        high = ipaddress.ip_address(last or first)
        sender = ipaddress.ip_address(ip or "")
    except ValueError:
        return False
    same = low.version == high.version == sender.version
    return same and int(low) <= int(sender) <= int(high)


def refused(message: str) -> BlobError:
    """Who asks is not known: 403 AuthenticationFailed."""
    return BlobError("AuthenticationFailed", message)
