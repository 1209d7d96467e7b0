"""Listing a container in name order, without holding more of it in memory than a page.

What is listed comes in order from a walk (walk.py, object_walk.py), perhaps merged with others.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import NamedTuple, Protocol

from lazulite.blobs.errors import BlobError
from lazulite.blobs.values import Blob, Page, Stamp

PAGE_LIMIT = 5000
LAST = "9"  # behind every snapshot of this millennium
BEHIND = "\0"  # in a marker: what stands behind is the time of a snapshot


@dataclasses.dataclass(frozen=True)
class Query:
    """What to list. marker: as the page before gave it; delimiter "": no grouping.

    snapshots: whether those of a blob come before it; uncommitted: whether there are also blobs
    that have waiting blocks only.
    """

    prefix: str = ""
    delimiter: str = ""
    marker: str = ""
    limit: int = PAGE_LIMIT
    snapshots: bool = False
    uncommitted: bool = False


class Found(NamedTuple):
    """A blob; without a stamp a folder, or the common prefix of several blobs."""

    name: str
    stamp: Stamp | None


class Walker(Protocol):
    """All blobs of a container from some name on, in the order of their names."""

    def __iter__(self) -> Iterator[Found]:
        """The blobs only."""
        ...

    def leave(self, prefix: str) -> None:
        """Go on behind all names that begin with the prefix, as far as that saves work."""
        ...


@dataclasses.dataclass(frozen=True)
class Merged:
    """A walk with more blobs in between. found: all of them, by merged()."""

    walk: Walker
    found: Iterator[Found]

    def __iter__(self) -> Iterator[Found]:
        """In the order of their names."""
        return self.found

    def leave(self, prefix: str) -> None:
        """Saves work in the walk; what is between may still come."""
        self.walk.leave(prefix)


def merged(first: Iterable[Found], second: Iterable[Found]) -> Iterator[Found]:
    """Two sorted streams as one. Of a name that is in both, the first one's blob."""
    last = None
    for found in heapq.merge(first, second, key=attrgetter("name")):
        if found.name != last:
            yield found
        last = found.name


def list_page(walk: Walker, query: Query) -> tuple[list[Found], str]:
    """Up to query.limit blobs and prefixes, and the marker of the rest ("" if none)."""
    page = list[Found]()
    for found in walk:
        group = _group_of(found.name, query)
        if page and page[-1].stamp is None and found.name.startswith(page[-1].name):
            continue
        if len(page) == query.limit:
            return page, encode_marker(group or found.name)
        if group:
            page.append(Found(group, None))
            walk.leave(group)
        else:
            page.append(found)
    return page, ""


def with_snapshots(page: Page, taken: Mapping[str, Sequence[Blob]], query: Query) -> Page:
    """The page with the snapshots of each blob before it, cut to the limit again.

    taken: by the key of the blob, oldest first.
    """
    name, _, snapshot = decode_marker(query.marker).partition(BEHIND)
    entries = [
        (one.address.name, one)
        for blob in page.blobs
        for one in (*taken.get(blob.address.key, ()), blob)
        if one.address.name != name or not one.snapshot or one.snapshot >= snapshot
    ]
    prefixes: list[tuple[str, Blob | None]] = [(prefix, None) for prefix in page.prefixes]
    ordered = sorted([*entries, *prefixes], key=itemgetter(0))
    kept, rest = ordered[: query.limit], ordered[query.limit :]
    if not rest:
        marker = page.marker
    else:
        name, first = rest[0]
        behind = f"{BEHIND}{first.snapshot or LAST}" if first is not None else ""
        marker = encode_marker(name + behind)
    blobs = tuple(blob for _, blob in kept if blob is not None)
    return Page(blobs, tuple(name for name, blob in kept if blob is None), marker)


def lowest_name(query: Query) -> str:
    """The first name that may be listed. Raises BlobError for a marker that is none of ours."""
    return max(query.prefix, decode_marker(query.marker).partition(BEHIND)[0])


def encode_marker(name: str) -> str:
    """A name as an opaque marker that survives XML and URLs."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def decode_marker(marker: str) -> str:
    """The name in a marker. Raises BlobError for what is none of ours."""
    try:
        return base64.b64decode(marker.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        message = f"marker {marker!r} is not one that a listing gave."
        raise BlobError("InvalidQueryParameterValue", message) from error


def is_walkable(folder: str) -> bool:
    """Whether a prefix can be a folder at all; listing below any other finds nothing."""
    segments = folder.split("/")
    return not folder or ("\0" not in folder and all(segments) and not {".", ".."} & set(segments))


def _group_of(name: str, query: Query) -> str:
    """The common prefix that a name is listed under; "" for none."""
    if not query.delimiter:
        return ""
    head, delimiter, _ = name[len(query.prefix) :].partition(query.delimiter)
    return query.prefix + head + delimiter if delimiter else ""
