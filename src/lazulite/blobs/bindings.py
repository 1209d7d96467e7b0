"""Which object is which version of a blob, so that a page of a list needs no request per object.

A write announces the row of the version to come, uploads an object that carries the version in its
metadata, and then binds the row to the ETag that the object got. Until then the metadata tells.
"""

from __future__ import annotations

import asyncio
import dataclasses
import zlib
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.blobs.names import BlobAddress
from lazulite.blobs.objects import FoundObject
from lazulite.blobs.together import Together
from lazulite.blobs.values import Stamp
from lazulite.store.blob_tables import KEYS_PER_QUERY, blobs
from lazulite.store.database import blocking

SECOND = 1_000_000_000  # nanoseconds

_IS_VERSION = sa.and_(
    blobs.c.size == sa.bindparam("of_size"), blobs.c.mtime_ns == sa.bindparam("of_ns")
)
_OF_BLOB = blobs.c.key == sa.bindparam("of")
_OTHERS = sa.delete(blobs).where(_OF_BLOB, sa.not_(_IS_VERSION))
_BOUND = sa.update(blobs).where(_OF_BLOB, _IS_VERSION).values(e_tag=sa.bindparam("tag"))


@dataclasses.dataclass(frozen=True)
class Row:
    """A version that a row describes. e_tag: of its object; None: not bound yet."""

    stamp: Stamp
    e_tag: str | None


def stamp_of(found: FoundObject, rows: Iterable[Row]) -> Stamp | None:
    """The version that an object is; None if only the object's own metadata can tell.

    rows: all of the blob. An object that nobody wrote through this server has a version made of
    its size, time and ETag.
    """
    of_size = [row for row in rows if row.stamp.size == found.size]
    for row in of_size:
        if row.stamp.mtime_ns == found.version and row.e_tag in {None, found.e_tag}:
            return row.stamp
    if found.version is None and any(row.e_tag is None for row in of_size):
        return None
    return _bound_or_foreign(found, of_size)


def known_stamp(found: FoundObject, rows: Sequence[Row]) -> Stamp:
    """The same for an object whose metadata was read."""
    return stamp_of(found, rows) or _bound_or_foreign(found, rows)


def _bound_or_foreign(found: FoundObject, rows: Iterable[Row]) -> Stamp:
    bound = (row.stamp for row in rows if row.e_tag == found.e_tag and row.stamp.size == found.size)
    fraction = zlib.crc32(found.e_tag.encode()) % SECOND  # two writes in one second are told apart
    foreign = Stamp(found.size, int(found.modified.timestamp()) * SECOND + fraction)
    return next(bound, foreign)


class Bindings:
    """The rows of blobs, as far as they say which object is which version. All calls block."""

    def __init__(self, engine: AsyncEngine) -> None:
        """engine: has the tables of store/blob_tables.py. To be called on the event loop."""
        self._engine, self._blocking = engine, blocking(engine)
        self._loop = asyncio.get_running_loop()
        self._bound = Together(self._bind)

    def of(self, keys: Sequence[str]) -> dict[str, list[Row]]:
        """The rows of blobs, by their keys."""
        columns = sa.select(blobs.c.key, blobs.c.size, blobs.c.mtime_ns, blobs.c.e_tag)
        found: dict[str, list[Row]] = {key: [] for key in keys}
        with self._blocking.connect() as tx:
            for start in range(0, len(keys), KEYS_PER_QUERY):
                some = blobs.c.key.in_(keys[start : start + KEYS_PER_QUERY])
                for key, size, mtime_ns, e_tag in tx.execute(columns.where(some)):
                    found[key].append(Row(Stamp(size, mtime_ns), e_tag))
        return found

    def unbound(self) -> list[tuple[BlobAddress, Stamp]]:
        """The rows whose upload may not have come to its end."""
        names = ("account", "container", "name", "size", "mtime_ns")
        some = sa.select(*(blobs.c[name] for name in names)).where(blobs.c.e_tag.is_(None))
        with self._blocking.connect() as tx:
            return [(BlobAddress(*row[:3]), Stamp(*row[3:])) for row in tx.execute(some)]

    def bind(self, key: str, stamp: Stamp, e_tag: str) -> None:
        """That object is that version, and there is no other. Durable on return.

        To be called in a thread: the event loop of the store must be free to write.
        """
        said = {"of": key, "of_size": stamp.size, "of_ns": stamp.mtime_ns, "tag": e_tag}
        asyncio.run_coroutine_threadsafe(self._bound.add(said), self._loop).result()

    async def _bind(self, news: Sequence[dict[str, object]]) -> None:
        async with self._engine.begin() as tx:
            await tx.execute(_OTHERS, list(news))
            await tx.execute(_BOUND, list(news))
