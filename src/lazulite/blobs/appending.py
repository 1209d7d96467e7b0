"""Append Block: the rules of append blobs, and what a crash in one leaves. Mostly pure.

An append writes behind the end of the file, in place, so that a long log is not copied each time.
Its row is announced before and the row of the version before stays until the bytes are synced: two
rows at a start mean that a crash came between, and the file is cut back to the older one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from lazulite.blobs.details import APPEND_BLOB
from lazulite.blobs.errors import BlobError
from lazulite.blobs.values import Blob, Stamp

BLOCKS_PER_BLOB = 50_000


@dataclasses.dataclass(frozen=True)
class AppendConditions:
    """at: the length that the blob must have; most: the length that it may get, in bytes."""

    at: int | None = None
    most: int | None = None


def check_append(blob: Blob, size: int, wanted: AppendConditions) -> None:
    """Raises BlobError: 409 for what cannot be appended to, 412 for a condition not met."""
    details = blob.properties.details
    if details.kind != APPEND_BLOB:
        raise BlobError("InvalidBlobType", f"{blob.address.name!r} is a {details.kind}.")
    if details.sealed:
        raise BlobError("BlobIsSealed")
    if details.appended >= BLOCKS_PER_BLOB:
        raise BlobError("BlockCountExceedsLimit")
    if wanted.at is not None and wanted.at != blob.size:
        raise BlobError("AppendPositionConditionNotMet")
    if wanted.most is not None and blob.size + size > wanted.most:
        raise BlobError("MaxBlobSizeConditionNotMet")


def grown(blob: Blob, size: int, mtime_ns: int) -> Blob:
    """The blob with one more block of so many bytes."""
    details = blob.properties.details
    details = dataclasses.replace(details, appended=details.appended + 1)
    said = dataclasses.replace(blob.properties, details=details, md5=None)
    return dataclasses.replace(blob, stamp=Stamp(blob.size + size, mtime_ns), properties=said)


def interrupted(versions: Iterable[Blob]) -> Iterator[tuple[Blob, Blob]]:
    """Of all rows of append blobs, oldest first, the pairs that an interrupted append left."""
    seen: dict[str, Blob] = {}
    for blob in versions:
        older = seen.get(blob.address.key)
        if older is not None and blob.properties.details.appended > 0:
            yield older, blob
        seen[blob.address.key] = blob
