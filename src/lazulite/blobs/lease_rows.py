"""Rows of leases: each write is one transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.blobs.names import BlobAddress
from lazulite.store.blob_tables import leases
from lazulite.store.database import reading


class LeaseRows:
    """Reads and writes the table blob_leases."""

    def __init__(self, engine: AsyncEngine) -> None:
        """engine: has the tables of store/blob_tables.py."""
        self._engine, self._reader = engine, reading(engine)

    async def all(self) -> dict[str, dict[str, Any]]:
        """Every lease, by the key of its address."""
        async with self._reader.connect() as tx:
            return {row.key: row.lease for row in await tx.execute(sa.select(leases))}

    async def put(self, address: BlobAddress, lease: dict[str, Any]) -> None:
        """Replaces the one before."""
        row = {"account": address.account, "container": address.container, "lease": lease}
        async with self._engine.begin() as tx:
            await tx.execute(sa.delete(leases).where(leases.c.key == address.key))
            await tx.execute(sa.insert(leases).values(key=address.key, **row))

    async def forget(self, address: BlobAddress) -> None:
        """Nothing if there is none."""
        async with self._engine.begin() as tx:
            await tx.execute(sa.delete(leases).where(leases.c.key == address.key))

    async def forget_container(self, account: str, container: str) -> list[str]:
        """Remove all of a container; their keys."""
        inside = sa.and_(leases.c.account == account, leases.c.container == container)
        async with self._engine.begin() as tx:
            found = (await tx.execute(sa.select(leases.c.key).where(inside))).scalars().all()
            await tx.execute(sa.delete(leases).where(inside))
        return list(found)
