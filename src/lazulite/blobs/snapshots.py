"""Snapshots: read-only copies of blobs, of which each counts once its row is there.

A copy whose row a crash prevented is removed at the next start.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from lazulite.blobs.back_end import Parts, SnapshotFiles
from lazulite.blobs.contents import Contents
from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.snapshot_rows import SnapshotRows
from lazulite.blobs.values import EPOCH, Blob


class Snapshots:
    """The snapshots of every blob. Callers hold the blob's lock for what writes."""

    def __init__(
        self, files: SnapshotFiles, rows: SnapshotRows, next_time_ns: Callable[[], int]
    ) -> None:
        """next_time_ns: since the epoch, in steps of 100 ns, and never the same twice."""
        self._files, self.rows, self._next_time_ns = files, rows, next_time_ns

    async def clear(self) -> None:
        """Remove the copies that were never acknowledged. Before any other call."""
        known = await self.rows.names()
        await asyncio.to_thread(self._files.keep_only, known)

    async def take(self, blob: Blob, parts: Parts, metadata: Mapping[str, str] | None) -> Blob:
        """Copy a blob. parts: where it is; metadata: None for that of the blob."""
        taken = dataclasses.replace(blob, snapshot=_time_name(self._next_time_ns()))
        await asyncio.to_thread(self._files.take, parts, blob.stamp, _place(taken))
        if metadata:
            said = dataclasses.replace(taken.properties, metadata=dict(metadata))
            taken = dataclasses.replace(taken, properties=said)
        await self.rows.add(taken)
        return taken

    async def find(self, address: BlobAddress, snapshot: str) -> Blob:
        """Raises BlobError 404."""
        for blob in await self.of(address):
            if blob.snapshot == snapshot:
                return blob
        raise BlobError("BlobNotFound", f"{address.name!r} has no snapshot {snapshot!r}.")

    async def of(self, address: BlobAddress) -> Sequence[Blob]:
        """All of a blob, oldest first."""
        return (await self.rows.of([address])).get(address.key, [])

    async def open(self, blob: Blob) -> Contents:
        """Open it for reading. Raises BlobError 404 when it was deleted just now."""
        opened = await asyncio.to_thread(self._files.open, _place(blob))
        if opened is None:
            raise BlobError("BlobNotFound")
        return opened

    async def remove(self, address: BlobAddress, snapshot: str = "") -> None:
        """One, or all. Durable on return; nothing if there is none."""
        await self.rows.forget(address, snapshot)
        place = (address.account, address.container, address.key, *([snapshot] if snapshot else []))
        await asyncio.to_thread(self._files.remove, place)

    async def remove_container(self, account: str, container: str) -> None:
        """Those of all blobs of a container."""
        await self.rows.forget_container(account, container)
        await asyncio.to_thread(self._files.remove, (account, container))


def _place(blob: Blob) -> Parts:
    address = blob.address
    return address.account, address.container, address.key, blob.snapshot


def _time_name(time_ns: int) -> str:
    """A time as Azure names snapshots by: seven digits behind the second, in steps of 100 ns."""
    moment = EPOCH + timedelta(seconds=time_ns // 1_000_000_000)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000 // 100:07}Z"
