"""Writes to the tree of blobs: each decides and commits under the lock of its blob.

The caller has received the bytes already, and runs a commit to its end even if nobody waits for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from lazulite.blobs.appending import AppendConditions, check_append, grown
from lazulite.blobs.assembly import Pick, choose_blocks
from lazulite.blobs.back_end import Parts
from lazulite.blobs.conditions import Conditions, check_change, check_put
from lazulite.blobs.containers import Places
from lazulite.blobs.contents import Contents
from lazulite.blobs.details import BLOCK_BLOB
from lazulite.blobs.errors import BlobError
from lazulite.blobs.leases import Leases
from lazulite.blobs.locks import Locks
from lazulite.blobs.lookup import Lookup
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.snapshots import Snapshots
from lazulite.blobs.staging import Keep, Piece, Received
from lazulite.blobs.values import Blob, Block, Properties, Stamp


class Commits:
    """What changes blobs. Raises BlobError where a condition, a lease or a rule forbids it."""

    def __init__(
        self,
        places: Places,
        leases: Leases,
        snapshots: Snapshots,
        next_mtime_ns: Callable[[], int],
    ) -> None:
        """next_mtime_ns: the version of a file, never the same twice."""
        self._at, self._find = places, Lookup(places.back_end)
        self._leases, self._snapshots = leases, snapshots
        self._next_mtime_ns = next_mtime_ns
        self.locks = Locks()
        self.appending: dict[BlobAddress, Stamp] = {}
        """Of blobs that are being appended to: the version before, which readers see."""

    async def put(
        self, address: BlobAddress, keep: Keep, properties: Properties, conditions: Conditions
    ) -> Blob:
        """Make a blob of a body that has come."""
        parts = self._find.parts(address)
        async with self.locks.holding(address):
            found, staged = await asyncio.to_thread(self._look_and_keep, parts, keep)
            try:
                said = dataclasses.replace(properties, md5=staged.md5 or properties.md5)
                blob = Blob(address, staged.stamp, created(said, staged.stamp))
                await self._commit(blob, staged.path, conditions, found)
            finally:
                staged.path.unlink(missing_ok=True)
        return blob

    async def keep_block(
        self, address: BlobAddress, block_id: bytes, keep: Keep, lease: str | None
    ) -> None:
        """Make a block of a body that has come."""
        parts = self._find.parts(address)
        async with self.locks.holding(address):
            found, staged = await asyncio.to_thread(self._look_and_keep, parts, keep)
            try:
                await self._check_block_blob(address, found, lease)
                await asyncio.to_thread(self._at.blocks.move_in, staged.path, address, block_id)
            finally:
                staged.path.unlink(missing_ok=True)

    async def join_blocks(
        self,
        address: BlobAddress,
        picks: Sequence[tuple[Pick, bytes]],
        properties: Properties,
        conditions: Conditions,
    ) -> Blob:
        """Make a blob of blocks."""
        async with self.locks.holding(address):
            found = await self._find.stamp(self._find.parts(address))
            await self.check_put(address, conditions, found)
            await self._check_block_blob(address, found, conditions.lease)
            committed = await self._at.rows.blocks(address, found) if found else ()
            blocks, staged = await asyncio.to_thread(self._join, address, committed, picks)
            try:
                blob = Blob(address, staged.stamp, created(properties, staged.stamp))
                await self._commit(blob, staged.path, conditions, found, blocks)
            finally:
                staged.path.unlink(missing_ok=True)
        return blob

    async def update(
        self,
        address: BlobAddress,
        change: Callable[[Properties], Properties],
        conditions: Conditions,
    ) -> Blob:
        """A new version with the same bytes."""
        parts = self._find.parts(address)
        async with self.locks.holding(address):
            found = await self._to_change(address, conditions)
            stamp = Stamp(found.size, self._next_mtime_ns())
            said = change(created(found.properties, found.stamp))
            blob = Blob(address, stamp, said)
            blocks = await self._at.rows.blocks(address, found.stamp)
            await self._at.rows.announce(blob, blocks, keep=found.stamp)
            with self._find.gone_is_missing(address):
                await asyncio.to_thread(self._at.back_end.blobs.restamp, parts, stamp.mtime_ns)
            if said.details.kind != BLOCK_BLOB:
                await self._at.rows.prune(blob.address, blob.stamp)
            await self._leases.written(address)
        return blob

    async def amend(
        self,
        address: BlobAddress,
        change: Callable[[Properties], Properties],
        conditions: Conditions,
    ) -> Blob:
        """The same version, of which more is said."""
        async with self.locks.holding(address):
            found = await self._to_change(address, conditions)
            blob = dataclasses.replace(found, properties=change(found.properties))
            await self._at.rows.amend(blob)
        return blob

    async def append(
        self,
        address: BlobAddress,
        keep: Keep,
        wanted: AppendConditions,
        conditions: Conditions,
    ) -> Blob:
        """Add a body that has come to an append blob."""
        async with self.locks.holding(address):
            staged = await asyncio.to_thread(keep)
            try:
                found = await self._to_change(address, conditions)
                check_append(found, staged.stamp.size, wanted)
                blob = grown(found, staged.stamp.size, self._next_mtime_ns())
                await self._at.rows.announce(blob, (), keep=found.stamp)
                await self._write_behind(found, blob, staged.path)
                await self._leases.written(address)
            finally:
                staged.path.unlink(missing_ok=True)
        return blob

    def undo_append(self, older: Blob, newer: Blob) -> None:
        """Cut a blob back to what it was, if an append to it was interrupted."""
        parts = self._find.parts(older.address)
        found = self._at.back_end.blobs.stamp(parts)
        if found is not None and found not in {older.stamp, newer.stamp}:
            self._at.back_end.blobs.cut_back(parts, older.stamp)

    async def delete(
        self, address: BlobAddress, parts: Parts, conditions: Conditions, with_snapshots: bool
    ) -> None:
        """Remove a blob, and its lease."""
        async with self.locks.holding(address):
            await self._to_change(address, conditions)
            if with_snapshots:
                await self._snapshots.remove(address)
            elif await self._snapshots.of(address):
                raise BlobError("SnapshotsPresent")
            with self._find.gone_is_missing(address):
                await asyncio.to_thread(self._at.back_end.blobs.remove, parts)
            await self._at.rows.forget(address)
            await self._leases.drop(address)

    async def delete_snapshots(self, address: BlobAddress, snapshot: str) -> None:
        """Remove one snapshot, or all."""
        async with self.locks.holding(address):
            if snapshot:
                await self._snapshots.find(address, snapshot)
            elif not await self._snapshots.of(address):
                raise self._find.missing(address)
            await self._snapshots.remove(address, snapshot)

    async def check_put(
        self, address: BlobAddress, conditions: Conditions, found: Stamp | None
    ) -> None:
        """Whether a blob may be written over what is found. Raises BlobError."""
        if conditions.tags is not None:
            said = await self._said(address, found)
            check_tags(conditions, said)
        check_put(conditions, found)
        self._leases.check_write(address, conditions.lease)

    async def _commit(
        self,
        blob: Blob,
        staged: Path,
        conditions: Conditions,
        found: Stamp | None,
        blocks: Sequence[Block] = (),
    ) -> None:
        """Under the blob's lock: decide, announce, rename. found: what is there."""
        parts = self._find.parts(blob.address)
        await self.check_put(blob.address, conditions, found)
        await self._at.rows.announce(blob, blocks, keep=found)
        try:
            await self._moved_in(staged, blob.address, parts)
        except FileNotFoundError as error:
            raise BlobError("ContainerNotFound") from error
        await self._leases.written(blob.address)

    async def _moved_in(self, staged: Path, address: BlobAddress, parts: Parts) -> None:
        """Rename, and once more when the blobs that have the names of its folders made way."""
        try:
            await asyncio.to_thread(self._move_in, staged, address, parts)
        except BlobError as error:
            if error.code != "ResourceTypeMismatch":
                raise
            for depth in range(3, len(parts)):
                async with self.locks.holding(
                    dataclasses.replace(address, name="/".join(parts[2:depth]))
                ):
                    await asyncio.to_thread(self._at.back_end.blobs.make_way, parts[:depth])
            await asyncio.to_thread(self._move_in, staged, address, parts)

    def _look_and_keep(self, parts: Parts, keep: Keep) -> tuple[Stamp | None, Received]:
        """What is there, and the body on the disk, in one hop to a thread. Blocks."""
        return self._at.back_end.blobs.stamp(parts), keep()

    def _move_in(self, staged: Path, address: BlobAddress, parts: Parts) -> None:
        """The moment at which a version comes into being; its waiting blocks are done with."""
        self._at.back_end.blobs.move_in(staged, parts)
        self._at.blocks.discard(address)

    async def _write_behind(self, found: Blob, blob: Blob, staged: Path) -> None:
        """Readers see the version before, until all of it is on the disk."""
        address, parts = blob.address, self._find.parts(blob.address)
        self.appending[address] = found.stamp
        try:
            with self._find.gone_is_missing(address):
                await asyncio.to_thread(self._at.back_end.blobs.append, staged, parts, blob.stamp)
        except OSError:
            await asyncio.to_thread(self._at.back_end.blobs.cut_back, parts, found.stamp)
            raise
        finally:
            del self.appending[address]
        await self._at.rows.prune(blob.address, blob.stamp)

    async def _said(self, address: BlobAddress, found: Stamp | None) -> Properties | None:
        return await asyncio.to_thread(self._at.rows.properties, address, found) if found else None

    async def _to_change(self, address: BlobAddress, conditions: Conditions) -> Blob:
        """The blob, which the caller may change. Under its lock. Raises BlobError."""
        found = await self._find.stamp(self._find.parts(address))
        if found is None:
            raise self._find.missing(address)
        said = await self._said(address, found) or Properties()
        check_tags(conditions, said)
        check_change(conditions, found)
        self._leases.check_write(address, conditions.lease)
        return Blob(address, found, said)

    async def _check_block_blob(
        self, address: BlobAddress, found: Stamp | None, lease: str | None
    ) -> None:
        """Blocks are for block blobs, and for who holds the lease. Raises BlobError."""
        self._leases.check_write(address, lease)
        said = await self._said(address, found)
        if said is not None and said.details.kind != BLOCK_BLOB:
            raise BlobError("InvalidBlobType")

    def _join(
        self, address: BlobAddress, committed: Sequence[Block], picks: Sequence[tuple[Pick, bytes]]
    ) -> tuple[list[Block], Received]:
        """Copy the chosen blocks into one staged file. Blocks; under the blob's lock."""
        blocks = self._at.blocks
        chosen = choose_blocks(picks, blocks.sizes(address), committed)
        present = self._at.back_end.blobs.open(self._find.parts(address))
        try:
            pieces = [
                Piece(blocks.path(address, one.block.id), 0, one.block.size)
                if one.offset is None
                else Piece(_present(present), one.offset, one.block.size)
                for one in chosen
            ]
            return [one.block for one in chosen], self._at.staging.join(pieces)
        finally:
            if present is not None:
                present.close()


def created(said: Properties, stamp: Stamp) -> Properties:
    """The same, with the time at which the blob came to be."""
    created_ns = said.details.created_ns or stamp.mtime_ns
    return dataclasses.replace(
        said, details=dataclasses.replace(said.details, created_ns=created_ns)
    )


def check_tags(conditions: Conditions, said: Properties | None) -> None:
    """Raises BlobError 412 unless the tags are as wanted."""
    tags = said.details.tags if said is not None else {}
    if conditions.tags is not None and not conditions.tags(tags):
        raise BlobError("ConditionNotMet")


def _present(contents: Contents | None) -> Contents:
    if contents is None:
        raise BlobError("InvalidBlockList", "The blob with the committed blocks is gone.")
    return contents
