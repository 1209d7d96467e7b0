"""Rows of snapshots: each write is one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.blobs.names import BlobAddress
from lazulite.blobs.row_statements import properties_from
from lazulite.blobs.values import Blob, Properties, Stamp
from lazulite.store.blob_tables import snapshots
from lazulite.store.database import reading

ROW = snapshots.c


class SnapshotRows:
    """Reads and writes the table blob_snapshots."""

    def __init__(self, engine: AsyncEngine) -> None:
        """engine: has the tables of store/blob_tables.py."""
        self._engine, self._reader = engine, reading(engine)

    async def add(self, blob: Blob) -> None:
        """blob: with the time of the snapshot, which is new."""
        address = blob.address
        row = {
            "key": address.key,
            "snapshot": blob.snapshot,
            "account": address.account,
            "container": address.container,
            "size": blob.stamp.size,
            "mtime_ns": blob.stamp.mtime_ns,
            "properties": _properties_json(blob.properties),
        }
        async with self._engine.begin() as tx:
            await tx.execute(sa.insert(snapshots).values(row))

    async def of(self, addresses: Sequence[BlobAddress]) -> dict[str, list[Blob]]:
        """The snapshots of these blobs of one container, by the key of the blob, oldest first."""
        if not addresses:
            return {}
        by_key = {address.key: address for address in addresses}
        where = sa.and_(
            ROW.account == addresses[0].account, ROW.container == addresses[0].container
        )
        if len(addresses) == 1:
            where = sa.and_(where, ROW.key == addresses[0].key)
        found: dict[str, list[Blob]] = {}
        async with self._reader.connect() as tx:
            for row in await tx.execute(sa.select(snapshots).where(where).order_by(ROW.snapshot)):
                if row.key in by_key:
                    said = _properties(row.properties)
                    blob = Blob(by_key[row.key], Stamp(row.size, row.mtime_ns), said, row.snapshot)
                    found.setdefault(row.key, []).append(blob)
        return found

    async def names(self) -> set[tuple[str, str]]:
        """Key and time of every snapshot."""
        async with self._reader.connect() as tx:
            found = await tx.execute(sa.select(ROW.key, ROW.snapshot))
            return {(row.key, row.snapshot) for row in found}

    async def forget(self, address: BlobAddress, snapshot: str = "") -> None:
        """One snapshot of a blob, or all of them."""
        where = ROW.key == address.key
        if snapshot:
            where = sa.and_(where, ROW.snapshot == snapshot)
        async with self._engine.begin() as tx:
            await tx.execute(sa.delete(snapshots).where(where))

    async def forget_container(self, account: str, container: str) -> None:
        """All snapshots of all blobs of a container."""
        where = sa.and_(ROW.account == account, ROW.container == container)
        async with self._engine.begin() as tx:
            await tx.execute(sa.delete(snapshots).where(where))


def _properties(said: dict[str, Any]) -> Properties:
    md5 = bytes.fromhex(said["md5"]) if said["md5"] else None
    return properties_from({**said, "md5": md5})


def _properties_json(said: Properties) -> dict[str, Any]:
    fields = {field.name: getattr(said, field.name) for field in dataclasses.fields(said)}
    md5 = said.md5.hex() if said.md5 else None
    return {**fields, "md5": md5, "details": said.details.to_json()}
