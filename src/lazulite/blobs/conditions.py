"""Conditional requests: If-Match and its kin, decided against the version that is there.

Source: "Specifying conditional headers for Blob service operations", learn.microsoft.com.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

from lazulite.blobs.errors import BlobError
from lazulite.blobs.tags import Matches
from lazulite.blobs.values import Stamp


@dataclasses.dataclass(frozen=True)
class Conditions:
    """The headers; None: not sent. ETags stand as sent, in quotes or bare, or "*".

    tags and lease are held against what the store keeps beside the version.
    """

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None
    tags: Matches | None = None
    lease: str | None = None


def check_read(wanted: Conditions, found: Stamp) -> None:
    """Raises BlobError: 412, or 304 when the caller has this version already."""
    if not _is_required_version(wanted, found):
        raise BlobError("ConditionNotMet")
    if not _is_news(wanted, found):
        raise BlobError("ConditionNotMet", status=304, headers={"ETag": found.etag})


def check_change(wanted: Conditions, found: Stamp) -> None:
    """For operations on a blob that must exist. Raises BlobError 412."""
    if not (_is_required_version(wanted, found) and _is_news(wanted, found)):
        raise BlobError("ConditionNotMet")


def check_put(wanted: Conditions, found: Stamp | None) -> None:
    """For operations that may create the blob. Raises BlobError: 412, or 409 for "only if new"."""
    if found is None:
        if wanted.if_match is not None:
            raise BlobError("ConditionNotMet")
        return
    if wanted.if_none_match == "*":
        raise BlobError("BlobAlreadyExists")
    check_change(wanted, found)


def _is_required_version(wanted: Conditions, found: Stamp) -> bool:
    if wanted.if_match is not None and not _names(wanted.if_match, found):
        return False
    since = wanted.if_unmodified_since
    return since is None or found.modified <= since


def _is_news(wanted: Conditions, found: Stamp) -> bool:
    if wanted.if_none_match is not None:
        return not _names(wanted.if_none_match, found)
    since = wanted.if_modified_since
    return since is None or found.modified > since


def _names(header: str, found: Stamp) -> bool:
    if header.strip() == "*":
        return True
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")}
    return found.etag.strip('"') in tags
