"""Rows of blob properties, made atomic with the file without a transaction over both.

A row carries the version (size and mtime) of the file that it describes. A writer first adds the
row of the version to come, then renames the file: until the rename the old row matches, after it
the new one, whenever the process dies. Rows that match nothing are removed by the next write. A
file with no row, put there by a job, is a blob with default properties.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.blobs.details import APPEND_BLOB
from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.row_statements import (
    OF_BLOB,
    PROPERTIES,
    STALE,
    announce,
    properties_from,
    properties_of,
)
from lazulite.blobs.together import Together
from lazulite.blobs.values import Access, Blob, Block, Container, Properties, Stamp
from lazulite.store.blob_tables import KEYS_PER_QUERY, blobs, containers
from lazulite.store.database import blocking, reading, write_in_one_hop


class BlobRows:
    """Reads and writes of blob properties; every write is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        """engine: has the tables of store/blob_tables.py."""
        self.engine, self._reader, self._blocking = engine, reading(engine), blocking(engine)
        self._announced = Together(self._announce)
        self._forgotten = Together(self._forget)

    async def announce(self, blob: Blob, blocks: Sequence[Block], keep: Stamp | None) -> None:
        """Add the row of a version to come. keep: the version that is there, which stays valid.

        Two calls for one blob must not overlap.
        """
        await self._announced.add((_stale(blob.address, keep), _row(blob, blocks)))

    def properties(self, address: BlobAddress, stamp: Stamp) -> Properties | None:
        """What the row of that version says; None if there is no such row. Blocks."""
        with self._blocking.connect() as held:
            database: Any = held.connection.driver_connection
            return properties_of(database, address.key, stamp)

    async def amend(self, blob: Blob) -> None:
        """Change what is said of a version that stays: tags and tier do not make a new one."""
        where = sa.and_(blobs.c.key == blob.address.key, _is_version(blob.stamp))
        row = _row(blob, ())
        del row["blocks"]
        async with self._writing() as tx:
            changed = await tx.execute(sa.update(blobs).where(where).values(row))
            if not changed.rowcount:  # the file of a job
                await tx.execute(sa.insert(blobs).values(row))

    async def tagged(self, account: str, container: str = "") -> list[Blob]:
        """All blobs with tags, by name; a version of them may be gone: hold it against the file."""
        where = sa.and_(blobs.c.account == account, blobs.c.details.is_not(None))
        if container:
            where = sa.and_(where, blobs.c.container == container)
        found = await self._blobs(where)
        return [blob for blob in found if blob.properties.details.tags]

    async def appendable(self) -> list[Blob]:
        """All versions of append blobs, the oldest first."""
        found = await self._blobs(blobs.c.details["kind"].as_string() == APPEND_BLOB)
        return sorted(found, key=lambda blob: blob.stamp.mtime_ns)

    async def _blobs(self, where: sa.ColumnElement[bool]) -> list[Blob]:
        order = (blobs.c.container, blobs.c.name)
        async with self._reader.connect() as tx:
            found = await tx.execute(sa.select(blobs).where(where).order_by(*order))
            return [
                Blob(
                    BlobAddress(row.account, row.container, row.name),
                    Stamp(row.size, row.mtime_ns),
                    properties_from(row._asdict()),
                )
                for row in found
            ]

    async def blocks(self, address: BlobAddress, stamp: Stamp) -> tuple[Block, ...]:
        """The blocks that the version was committed from; none if it was written whole."""
        where = sa.and_(blobs.c.key == address.key, _is_version(stamp))
        async with self._reader.connect() as tx:
            found = (await tx.execute(sa.select(blobs.c.blocks).where(where))).scalar_one_or_none()
        return tuple(Block(bytes.fromhex(name), size) for name, size in found or ())

    async def complete(self, found: Sequence[tuple[BlobAddress, Stamp]]) -> tuple[Blob, ...]:
        """Blobs of these files, with the properties of their rows or the default ones."""
        known: dict[tuple[str, Stamp], Properties] = {}
        async with self._reader.connect() as tx:
            for start in range(0, len(found), KEYS_PER_QUERY):
                keys = [address.key for address, _ in found[start : start + KEYS_PER_QUERY]]
                known |= await _properties_of(tx, keys)
        default = Properties()
        return tuple(
            Blob(address, stamp, known.get((address.key, stamp), default))
            for address, stamp in found
        )

    async def forget(self, address: BlobAddress) -> None:
        """Remove the rows of a blob that is gone."""
        await self._forgotten.add(address.key)

    async def prune(self, address: BlobAddress, keep: Stamp | None) -> int:
        """Remove the rows of all versions but one; their number."""
        async with self._writing() as tx:
            return int((await tx.execute(STALE, _stale(address, keep))).rowcount)

    async def versions(
        self, after: tuple[str, int, int], limit: int
    ) -> list[tuple[BlobAddress, Stamp]]:
        """The next rows in the order of key, size and mtime_ns, after one of them.

        Rows that are bound to an object (bindings.py) are left out: their blobs were there.
        """
        names = ("account", "container", "name", "size", "mtime_ns")
        key = sa.tuple_(blobs.c.key, blobs.c.size, blobs.c.mtime_ns)
        some = sa.select(*(blobs.c[name] for name in names))
        some = some.where(key > after, blobs.c.e_tag.is_(None))
        some = some.order_by(blobs.c.key, blobs.c.size, blobs.c.mtime_ns).limit(limit)
        async with self._reader.connect() as tx:
            found = (await tx.execute(some)).all()
        return [(BlobAddress(*row[:3]), Stamp(*row[3:])) for row in found]

    async def put_container(self, container: Container) -> None:
        """Write what the folder of a container cannot say."""
        account, name = container.account, container.name
        async with self._writing() as tx:
            await tx.execute(sa.delete(containers).where(_is_container(account, name)))
            row = {
                "account": account,
                "container": name,
                "modified": container.modified,
                "metadata": dict(container.metadata),
                "access": container.access.to_json(),
            }
            await tx.execute(sa.insert(containers).values(row))

    async def container(
        self, account: str, container: str
    ) -> tuple[datetime, Mapping[str, str], Access] | None:
        """When it was modified, metadata and access; None if nothing was written."""
        columns = sa.select(containers.c.modified, containers.c.metadata, containers.c.access)
        async with self._reader.connect() as tx:
            found = await tx.execute(columns.where(_is_container(account, container)))
            row = found.one_or_none()
        return None if row is None else (row[0], row[1], Access.from_json(row[2]))

    async def forget_container(self, account: str, container: str) -> None:
        """Remove the rows of a container that is gone, and those of its blobs."""
        inside = sa.and_(blobs.c.account == account, blobs.c.container == container)
        async with self._writing() as tx:
            await tx.execute(sa.delete(containers).where(_is_container(account, container)))
            await tx.execute(sa.delete(blobs).where(inside))

    async def _announce(self, news: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
        try:
            await write_in_one_hop(self.engine, lambda database: announce(database, news))
        except sqlite3.Error as error:
            _refuse_if_full(error)
            raise

    async def _forget(self, keys: Sequence[str]) -> None:
        async with self._writing() as tx:
            await tx.execute(OF_BLOB, [{"of": key} for key in keys])

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction. Raises BlobError 507 when the disk of the database is full."""
        try:
            async with self.engine.begin() as tx:
                yield tx
        except DBAPIError as error:
            _refuse_if_full(error.orig or error)
            raise


def _refuse_if_full(error: BaseException) -> None:
    """Raises BlobError 507 if what SQLite says is that its disk is full."""
    if "full" in str(error).lower():
        raise BlobError("InsufficientStorage") from error


async def _properties_of(
    tx: AsyncConnection, keys: Sequence[str]
) -> dict[tuple[str, Stamp], Properties]:
    columns = [blobs.c[name] for name in ("key", "size", "mtime_ns", *PROPERTIES)]
    rows = await tx.execute(sa.select(*columns).where(blobs.c.key.in_(keys)))
    return {(row[0], Stamp(row[1], row[2])): properties_from(row._asdict()) for row in rows}


def _stale(address: BlobAddress, keep: Stamp | None) -> dict[str, Any]:
    """Which rows STALE removes: all of a blob but those of one version."""
    kept = keep or Stamp(-1, -1)
    return {"of": address.key, "kept": kept.size, "kept_ns": kept.mtime_ns}


def _row(blob: Blob, blocks: Sequence[Block]) -> dict[str, Any]:
    address, stamp = blob.address, blob.stamp
    said = {name: getattr(blob.properties, name) for name in PROPERTIES}
    return {
        **said,
        "metadata": dict(blob.properties.metadata),
        "details": blob.properties.details.to_json(),
        "key": address.key,
        "account": address.account,
        "container": address.container,
        "name": address.name,
        "size": stamp.size,
        "mtime_ns": stamp.mtime_ns,
        "blocks": [[block.id.hex(), block.size] for block in blocks] or None,
    }


def _is_version(stamp: Stamp) -> sa.ColumnElement[bool]:
    return sa.and_(blobs.c.size == stamp.size, blobs.c.mtime_ns == stamp.mtime_ns)


def _is_container(account: str, container: str) -> sa.ColumnElement[bool]:
    return sa.and_(containers.c.account == account, containers.c.container == container)
