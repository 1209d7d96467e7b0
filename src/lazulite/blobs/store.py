"""The blob store: blobs are plain files that jobs read in place, and what is acknowledged stays.

A write is staged in a private folder, checked, synced, announced in the database (see rows.py),
renamed to its place and synced there; only then does the call return. A crash anywhere leaves the
old blob or the new one, and nothing in between; staged leftovers are removed at start().
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from lazulite.blobs.assembly import Pick, choose_blocks
from lazulite.blobs.blocks import Blocks
from lazulite.blobs.conditions import Conditions, check_change, check_put, check_read
from lazulite.blobs.containers import Containers, Places
from lazulite.blobs.errors import BlobError, UnstorableNameError
from lazulite.blobs.faults import Faults
from lazulite.blobs.listing import Query, list_page
from lazulite.blobs.locks import Locks
from lazulite.blobs.names import BlobAddress, container_parts, segments_of
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.staging import BUFFER, Piece, Received, Staging
from lazulite.blobs.sweep import sweep
from lazulite.blobs.tree import Tree
from lazulite.blobs.values import EPOCH, Blob, Block, BlockList, Expected, Page, Properties, Stamp
from lazulite.core.clock import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")
Parts = tuple[str, ...]

BLOCKS_LIVE = timedelta(days=7)
"""Source: Put Block, learn.microsoft.com: uncommitted blocks are discarded after a week."""

LONGEST_PATH = 4095  # bytes; jobs open blobs by their whole path
UNCONDITIONAL = Conditions()
PLAIN = Properties()


class OpenBlob:
    """A blob being read: the bytes of one version, even if it is replaced or deleted meanwhile."""

    def __init__(self, blob: Blob, descriptor: int) -> None:
        """descriptor: owned from now on; close() closes it."""
        self.blob, self._descriptor = blob, descriptor

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from start up to stop. Raises EOFError if a job has cut the file short."""
        while start < stop:
            size = min(BUFFER, stop - start)
            data = await asyncio.to_thread(os.pread, self._descriptor, size, start)
            if not data:
                raise EOFError(f"{self.blob.address} was cut short while it was read")
            yield data
            start += len(data)

    def close(self) -> None:
        """Call it once, when the reading is over."""
        os.close(self._descriptor)


class BlobStore:
    """Blobs on the local disk. One process at a time; jobs may write files in place besides.

    Raises BlobError for everything that a client can be told.
    """

    def __init__(self, root: Path, rows: BlobRows, clock: Clock) -> None:
        """root: a folder of its own, on a file system with nanosecond times and atomic renames."""
        self._last_mtime_ns = 0
        staging = Staging(root / ".staging", self._next_mtime_ns)
        blocks = Blocks(root / ".blocks", staging)
        self._at = Places(Tree(root), staging, blocks, rows, Faults(), clock)
        self.containers = Containers(self._at)
        self._locks = Locks()
        self._committing: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Remove what a crash and the passing of time left. Before any other call."""
        before = (self._at.clock() - BLOCKS_LIVE).timestamp()
        self._at.tree.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(self._at.staging.clear)
        await asyncio.to_thread(self._at.blocks.expire, before)
        self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        """Beside everything else: what it removes is in nobody's way."""
        stamp_of = lambda one: self._at.tree.stamp(self._parts(one))  # noqa: E731
        try:
            removed = await sweep(self._at.rows, self._locks, stamp_of)
        except OSError:
            log.exception("rows of blobs could not be swept; the next start tries again")
        else:
            log.info("rows of blobs were swept", extra={"removed": removed})

    async def close(self) -> None:
        """Wait for commits whose callers went away."""
        self._sweeping.cancel()
        await asyncio.gather(self._sweeping, return_exceptions=True)
        await asyncio.gather(*self._committing, return_exceptions=True)

    @property
    def broken(self) -> OSError | None:
        """The disk error that ended writing; report it and exit."""
        return self._at.faults.broken

    def path(self, address: BlobAddress) -> Path:
        """The file of a blob, for jobs that read it in place."""
        return self._at.tree.root.joinpath(*self._parts(address))

    async def head(self, address: BlobAddress, conditions: Conditions = UNCONDITIONAL) -> Blob:
        """The blob without its bytes."""
        opened = await self.open(address, conditions)
        opened.close()
        return opened.blob

    async def open(self, address: BlobAddress, conditions: Conditions = UNCONDITIONAL) -> OpenBlob:
        """Open a blob for reading; the caller closes it."""
        parts = self._parts_to_read(address)
        return await asyncio.to_thread(self._open, address, parts, conditions)

    async def put(
        self,
        address: BlobAddress,
        body: AsyncIterable[bytes],
        expected: Expected,
        properties: Properties = PLAIN,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Blob:
        """Write a whole blob; its MD5 becomes a property. Discards uncommitted blocks."""
        parts = self._parts(address)
        with self._at.faults.watched():
            self._check_container(address)
            if conditions != UNCONDITIONAL:
                check_put(conditions, await self._stamp(parts))
            staged = await self._at.staging.receive(body, expected)
            said = dataclasses.replace(properties, md5=staged.md5)
            blob = Blob(address, staged.stamp, said)
            return await self._to_the_end(self._put_staged(blob, staged.path, conditions))

    async def put_block(
        self, address: BlobAddress, block_id: bytes, body: AsyncIterable[bytes], expected: Expected
    ) -> None:
        """Keep a block for put_block_list(); the same id again replaces it."""
        self._parts(address)
        with self._at.faults.watched():
            self._check_container(address)
            staged = await self._at.staging.receive(body, expected)
            await self._to_the_end(self._keep_block(address, block_id, staged.path))

    async def put_block_list(
        self,
        address: BlobAddress,
        picks: Sequence[tuple[Pick, bytes]],
        properties: Properties = PLAIN,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Blob:
        """Make a blob of these blocks, in this order; blocks not named are discarded."""
        self._parts(address)
        with self._at.faults.watched():
            self._check_container(address)
            joining = self._join_blocks(address, picks, properties, conditions)
            return await self._to_the_end(joining)

    async def block_list(self, address: BlobAddress) -> BlockList:
        """The blocks of a blob, of which there may be uncommitted ones only."""
        parts = self._parts_to_read(address)
        waiting = await asyncio.to_thread(self._at.blocks.listed, address)
        stamp = await self._stamp(parts)
        if stamp is None:
            if not waiting:
                raise self._missing(address)
            return BlockList((), waiting, None)
        blob = (await self._at.rows.complete([(address, stamp)]))[0]
        return BlockList(await self._at.rows.blocks(address, stamp), waiting, blob)

    async def update(
        self,
        address: BlobAddress,
        change: Callable[[Properties], Properties],
        conditions: Conditions = UNCONDITIONAL,
    ) -> Blob:
        """Change properties or metadata; the blob gets a new ETag, as it does in Azure."""
        self._parts_to_read(address)
        with self._at.faults.watched():
            return await self._to_the_end(self._update(address, change, conditions))

    async def delete(self, address: BlobAddress, conditions: Conditions = UNCONDITIONAL) -> None:
        """Delete a blob. Durable on return; a second call raises BlobError 404."""
        parts = self._parts_to_read(address)
        with self._at.faults.watched():
            await self._to_the_end(self._delete(address, parts, conditions))

    async def list_blobs(self, account: str, container: str, query: Query) -> Page:
        """One page of blobs and common prefixes, in name order. Nothing is locked."""
        parts = container_parts(account, container)
        await self.containers.get(account, container)
        found, marker = await asyncio.to_thread(list_page, self._at.tree, parts, query)
        files = [(BlobAddress(*parts, f.name), f.stamp) for f in found if f.stamp is not None]
        blobs = await self._at.rows.complete(files)
        return Page(blobs, tuple(f.name for f in found if f.stamp is None), marker or None)

    async def _put_staged(self, blob: Blob, staged: Path, conditions: Conditions) -> Blob:
        try:
            async with self._locks.holding(blob.address):
                await self._commit(blob, staged, conditions)
        finally:
            staged.unlink(missing_ok=True)
        return blob

    async def _commit(
        self, blob: Blob, staged: Path, conditions: Conditions, blocks: Sequence[Block] = ()
    ) -> None:
        """Under the blob's lock: decide, announce, rename."""
        parts = self._parts(blob.address)
        found = await self._stamp(parts)
        check_put(conditions, found)
        await self._at.rows.announce(blob, blocks, keep=found)
        try:
            await asyncio.to_thread(self._move_in, staged, blob.address, parts)
        except FileNotFoundError as error:
            raise BlobError("ContainerNotFound") from error

    def _move_in(self, staged: Path, address: BlobAddress, parts: Parts) -> None:
        """The moment at which a version comes into being; its waiting blocks are done with."""
        self._at.tree.move_in(staged, parts, 2)
        self._at.blocks.discard(address)

    def _open(self, address: BlobAddress, parts: Parts, conditions: Conditions) -> OpenBlob:
        """File and row of one version. Blocks."""
        while True:
            descriptor = self._at.tree.open(parts)
            if descriptor is None:
                raise self._missing(address)
            try:
                stamp = Stamp.of(os.fstat(descriptor))
                check_read(conditions, stamp)
                said = self._at.rows.properties(address, stamp)
            except BaseException:
                os.close(descriptor)
                raise
            if said is not None or self._at.tree.stamp(parts) == stamp:
                return OpenBlob(Blob(address, stamp, said or Properties()), descriptor)
            os.close(descriptor)  # replaced, and its row removed, between the two looks

    async def _keep_block(self, address: BlobAddress, block_id: bytes, staged: Path) -> None:
        try:
            async with self._locks.holding(address):
                await asyncio.to_thread(self._at.blocks.move_in, staged, address, block_id)
        finally:
            staged.unlink(missing_ok=True)

    async def _join_blocks(
        self,
        address: BlobAddress,
        picks: Sequence[tuple[Pick, bytes]],
        properties: Properties,
        conditions: Conditions,
    ) -> Blob:
        async with self._locks.holding(address):
            found = await self._stamp(self._parts(address))
            check_put(conditions, found)
            committed = await self._at.rows.blocks(address, found) if found else ()
            blocks, staged = await asyncio.to_thread(self._join, address, committed, picks)
            try:
                blob = Blob(address, staged.stamp, properties)
                await self._commit(blob, staged.path, conditions, blocks)
            finally:
                staged.path.unlink(missing_ok=True)
        return blob

    async def _update(
        self,
        address: BlobAddress,
        change: Callable[[Properties], Properties],
        conditions: Conditions,
    ) -> Blob:
        parts = self._parts(address)
        async with self._locks.holding(address):
            found = await self._stamp(parts)
            if found is None:
                raise self._missing(address)
            check_change(conditions, found)
            said = await asyncio.to_thread(self._at.rows.properties, address, found)
            stamp = Stamp(found.size, self._next_mtime_ns())
            blob = Blob(address, stamp, change(said or Properties()))
            blocks = await self._at.rows.blocks(address, found)
            await self._at.rows.announce(blob, blocks, keep=found)
            with self._gone_is_missing(address):
                await asyncio.to_thread(self._at.tree.restamp, parts, stamp.mtime_ns)
        return blob

    async def _delete(self, address: BlobAddress, parts: Parts, conditions: Conditions) -> None:
        async with self._locks.holding(address):
            found = await self._stamp(parts)
            if found is None:
                raise self._missing(address)
            check_change(conditions, found)
            with self._gone_is_missing(address):
                await asyncio.to_thread(self._at.tree.remove, parts, 2)
            await self._at.rows.forget(address)

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a commit whole, even if the caller is cancelled: its lock must cover its threads."""
        task = asyncio.ensure_future(work)
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)
        return await asyncio.shield(task)

    def _join(
        self, address: BlobAddress, committed: Sequence[Block], picks: Sequence[tuple[Pick, bytes]]
    ) -> tuple[list[Block], Received]:
        """Copy the chosen blocks into one staged file. Blocks; under the blob's lock."""
        blocks = self._at.blocks
        chosen = choose_blocks(picks, blocks.sizes(address), committed)
        present = self._at.tree.open(self._parts(address))
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
                os.close(present)

    def _next_mtime_ns(self) -> int:
        """The time, but never the same twice: it is the version of a file."""
        now = (self._at.clock() - EPOCH) // timedelta(microseconds=1) * 1000
        self._last_mtime_ns = max(now, self._last_mtime_ns + 1)
        return self._last_mtime_ns

    def _parts(self, address: BlobAddress) -> Parts:
        """The path below the root, for a blob that is to be written."""
        container = container_parts(address.account, address.container)
        parts = (*container, *segments_of(address.name))
        if len(os.fsencode(self._at.tree.root.joinpath(*parts))) > LONGEST_PATH:
            raise UnstorableNameError(
                "The path of the blob's file would be longer than 4095 bytes."
            )
        return parts

    def _parts_to_read(self, address: BlobAddress) -> Parts:
        """The same for one that must exist: what cannot be stored is not found."""
        try:
            return self._parts(address)
        except UnstorableNameError as error:
            raise self._missing(address) from error

    async def _stamp(self, parts: Parts) -> Stamp | None:
        return await asyncio.to_thread(self._at.tree.stamp, parts)

    def _missing(self, address: BlobAddress) -> BlobError:
        self._check_container(address)
        return BlobError("BlobNotFound", f"There is no blob {address.name!r}.")

    def _check_container(self, address: BlobAddress) -> None:
        if not self._at.tree.is_folder(container_parts(address.account, address.container)):
            raise BlobError("ContainerNotFound")

    @contextmanager
    def _gone_is_missing(self, address: BlobAddress) -> Iterator[None]:
        """Around a change of a file that a job may just have deleted."""
        try:
            yield
        except FileNotFoundError as error:
            raise self._missing(address) from error


def _present(descriptor: int | None) -> int:
    if descriptor is None:
        raise BlobError("InvalidBlockList", "The blob with the committed blocks is gone.")
    return descriptor
