"""The blob store: blobs are plain files that jobs read in place, and what is acknowledged stays.

A write is staged in a private folder, checked, synced, announced in the database (see rows.py),
renamed to its place and synced there; only then does the call return. A crash anywhere leaves the
old blob or the new one, and nothing in between; staged leftovers are removed at start().
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import (
    AsyncIterable,
    Callable,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from lazulite.blobs.appending import AppendConditions, interrupted
from lazulite.blobs.assembly import Pick
from lazulite.blobs.back_end import BackEnd, Parts
from lazulite.blobs.blocks import Blocks
from lazulite.blobs.commits import Commits, check_tags, created
from lazulite.blobs.conditions import Conditions, check_change, check_read
from lazulite.blobs.containers import Containers, Places
from lazulite.blobs.faults import Faults
from lazulite.blobs.folders import local_folders
from lazulite.blobs.lease_rows import LeaseRows
from lazulite.blobs.leases import Leases
from lazulite.blobs.listing import (
    Found,
    Merged,
    Query,
    Walker,
    list_page,
    merged,
    with_snapshots,
)
from lazulite.blobs.lookup import Lookup
from lazulite.blobs.names import BlobAddress, container_parts
from lazulite.blobs.opened import OpenBlob
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.services import ServiceProperties
from lazulite.blobs.snapshot_rows import SnapshotRows
from lazulite.blobs.snapshots import Snapshots
from lazulite.blobs.staging import Staging
from lazulite.blobs.sweep import sweep
from lazulite.blobs.values import EPOCH, Blob, BlockList, Expected, Page, Properties
from lazulite.core.clock import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")

BLOCKS_LIVE = timedelta(days=7)
"""Source: Put Block, learn.microsoft.com: uncommitted blocks are discarded after a week."""

TICK_NS = 100  # between two versions; snapshots are named in such steps
UNCONDITIONAL = Conditions()
PLAIN = Properties()


class BlobStore:
    """Blobs in a back end, by default files that jobs may write in place. One process at a time.

    Raises BlobError for everything that a client can be told.
    """

    def __init__(
        self,
        root: Path,
        rows: BlobRows,
        clock: Clock,
        backend: Callable[[Path, Staging], BackEnd] = local_folders,
    ) -> None:
        """root: a folder of its own, on a file system with nanosecond times and atomic renames.

        What is on its way is kept there; the back end may keep blobs elsewhere.
        """
        self._last_mtime_ns = 0
        staging = Staging(root / ".staging", self._next_mtime_ns)
        blocks = Blocks(root / ".blocks", staging)
        self._at = Places(backend(root, staging), staging, blocks, rows, Faults(), clock)
        self.containers = Containers(self._at)
        self.leases = Leases(LeaseRows(rows.engine), clock)
        self.snapshots = Snapshots(
            self._at.back_end.snapshots, SnapshotRows(rows.engine), self._next_mtime_ns
        )
        self.services = ServiceProperties(rows.engine)
        self._find = Lookup(self._at.back_end)
        self._commits = Commits(self._at, self.leases, self.snapshots, self._next_mtime_ns)
        self._committing: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Remove what a crash and the passing of time left. Before any other call."""
        before = (self._at.clock() - BLOCKS_LIVE).timestamp()
        await asyncio.to_thread(self._at.staging.clear)
        await asyncio.to_thread(self._at.back_end.start)
        await asyncio.to_thread(self._at.blocks.expire, before)
        await self.leases.load()
        await self.services.load()
        await self.snapshots.clear()
        for older, newer in interrupted(await self._at.rows.appendable()):
            await asyncio.to_thread(self._commits.undo_append, older, newer)
        self._sweeping = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        """Beside everything else: what it removes is in nobody's way."""
        stamp_of = lambda one: self._at.back_end.blobs.stamp(self._find.parts(one))  # noqa: E731
        try:
            removed = await sweep(self._at.rows, self._commits.locks, stamp_of)
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

    @property
    def back_end(self) -> BackEnd:
        """What keeps the bytes; to be read past the store, not written."""
        return self._at.back_end

    @property
    def clock(self) -> Clock:
        """The time, as leases see it."""
        return self._at.clock

    def holding(self, address: BlobAddress) -> AbstractAsyncContextManager[None]:
        """Alone with a blob, or with the lease of a container, whose blob name is empty."""
        return self._commits.locks.holding(address)

    async def head(self, address: BlobAddress, conditions: Conditions = UNCONDITIONAL) -> Blob:
        """The blob without its bytes."""
        parts = self._find.parts_to_read(address)
        opened = await asyncio.to_thread(self._open, address, parts, conditions)
        opened.close()
        return opened.blob

    async def open(self, address: BlobAddress, conditions: Conditions = UNCONDITIONAL) -> OpenBlob:
        """Open a blob for reading; the caller closes it."""
        parts = self._find.parts_to_read(address)
        return await asyncio.to_thread(lambda: self._open(address, parts, conditions).read_ahead())

    async def put(
        self,
        address: BlobAddress,
        body: AsyncIterable[bytes],
        expected: Expected,
        properties: Properties = PLAIN,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Blob:
        """Write a whole blob; its MD5 becomes a property. Discards uncommitted blocks."""
        parts = self._find.parts(address)
        with self._at.faults.watched():
            self._find.check_container(address)
            if conditions == UNCONDITIONAL:
                self.leases.check_write(address, None)
            else:
                await self._commits.check_put(address, conditions, await self._find.stamp(parts))
            keep = await self._at.staging.receive(body, expected)
            work = self._commits.put(address, keep, properties, conditions)
            return await self._to_the_end(work)

    async def put_block(
        self,
        address: BlobAddress,
        block_id: bytes,
        body: AsyncIterable[bytes],
        expected: Expected,
        lease: str | None = None,
    ) -> None:
        """Keep a block for put_block_list(); the same id again replaces it."""
        self._find.parts(address)
        with self._at.faults.watched():
            self._find.check_container(address)
            keep = await self._at.staging.receive(body, expected)
            await self._to_the_end(self._commits.keep_block(address, block_id, keep, lease))

    async def append(
        self,
        address: BlobAddress,
        body: AsyncIterable[bytes],
        expected: Expected,
        wanted: AppendConditions,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Blob:
        """Add bytes to an append blob. A crash leaves the blob with all of them or with none."""
        self._find.parts_to_read(address)
        with self._at.faults.watched():
            keep = await self._at.staging.receive(body, expected)
            work = self._commits.append(address, keep, wanted, conditions)
            return await self._to_the_end(work)

    async def put_block_list(
        self,
        address: BlobAddress,
        picks: Sequence[tuple[Pick, bytes]],
        properties: Properties = PLAIN,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Blob:
        """Make a blob of these blocks, in this order; blocks not named are discarded."""
        self._find.parts(address)
        with self._at.faults.watched():
            self._find.check_container(address)
            joining = self._commits.join_blocks(address, picks, properties, conditions)
            return await self._to_the_end(joining)

    async def block_list(self, address: BlobAddress) -> BlockList:
        """The blocks of a blob, of which there may be uncommitted ones only."""
        parts = self._find.parts_to_read(address)
        waiting = await asyncio.to_thread(self._at.blocks.listed, address)
        stamp = await self._find.stamp(parts)
        if stamp is None:
            if not waiting:
                raise self._find.missing(address)
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
        self._find.parts_to_read(address)
        with self._at.faults.watched():
            return await self._to_the_end(self._commits.update(address, change, conditions))

    async def amend(
        self,
        address: BlobAddress,
        change: Callable[[Properties], Properties],
        conditions: Conditions = UNCONDITIONAL,
    ) -> Blob:
        """Change what makes no new version, such as tags and tier: the ETag stays."""
        self._find.parts_to_read(address)
        with self._at.faults.watched():
            return await self._to_the_end(self._commits.amend(address, change, conditions))

    async def delete(
        self,
        address: BlobAddress,
        conditions: Conditions = UNCONDITIONAL,
        *,
        with_snapshots: bool = False,
    ) -> None:
        """Delete a blob. Durable on return; a second call raises BlobError 404.

        Raises BlobError 409 for a blob with snapshots, unless they go too.
        """
        parts = self._find.parts_to_read(address)
        with self._at.faults.watched():
            work = self._commits.delete(address, parts, conditions, with_snapshots)
            await self._to_the_end(work)

    async def delete_snapshots(self, address: BlobAddress, snapshot: str = "") -> None:
        """One snapshot, or all of a blob. Raises BlobError 404 if the one is not there."""
        with self._at.faults.watched():
            await self._to_the_end(self._commits.delete_snapshots(address, snapshot))

    async def take_snapshot(
        self, address: BlobAddress, metadata: Mapping[str, str], conditions: Conditions
    ) -> Blob:
        """A read-only copy of the blob as it is; metadata: that of the blob if empty."""
        self._find.parts_to_read(address)
        with self._at.faults.watched():
            return await self._to_the_end(self._take_snapshot(address, metadata, conditions))

    async def open_snapshot(
        self, address: BlobAddress, snapshot: str, conditions: Conditions = UNCONDITIONAL
    ) -> OpenBlob:
        """Open a snapshot for reading; the caller closes it."""
        self._find.check_container(address)
        blob = await self.snapshots.find(address, snapshot)
        check_tags(conditions, blob.properties)
        check_read(conditions, blob.stamp)
        return OpenBlob(blob, await self.snapshots.open(blob))

    async def tagged(self, account: str, container: str = "") -> list[Blob]:
        """All blobs of an account with tags, by container and name."""
        found = await self._at.rows.tagged(account, container)
        return [
            one
            for one in found
            if await self._find.stamp(self._find.parts(one.address)) == one.stamp
        ]

    async def delete_container(self, account: str, container: str) -> None:
        """With all blobs, snapshots and leases. Raises BlobError 404, 409 while it is going on."""
        await self._to_the_end(self._delete_container(account, container))

    async def list_blobs(self, account: str, container: str, query: Query) -> Page:
        """One page of blobs and common prefixes, in name order. Nothing is locked."""
        parts = container_parts(account, container)
        await self.containers.get(account, container)
        found, marker = await asyncio.to_thread(self._found, parts, query)
        files = [
            (address, self._commits.appending.get(address, f.stamp))
            for f in found
            if f.stamp is not None and (address := BlobAddress(*parts, f.name))
        ]
        blobs = await self._at.rows.complete(files)
        page = Page(blobs, tuple(f.name for f in found if f.stamp is None), marker or None)
        if not query.snapshots:
            return page
        taken = await self.snapshots.rows.of([blob.address for blob in blobs])
        return with_snapshots(page, taken, query)

    async def _delete_container(self, account: str, container: str) -> None:
        with self.containers.leaving(account, container), self._at.faults.watched():
            await self.containers.delete(account, container)
            await self.snapshots.remove_container(account, container)
            await self.leases.drop_container(account, container)

    def _found(self, container: tuple[str, str], query: Query) -> tuple[list[Found], str]:
        """What is on a page, and the marker of the rest. Blocks."""
        walk: Walker = self._at.back_end.containers.walk(container, query)
        if query.uncommitted:
            walk = Merged(walk, merged(walk, self._at.blocks.waiting(container, query)))
        return list_page(walk, query)

    async def _take_snapshot(
        self, address: BlobAddress, metadata: Mapping[str, str], conditions: Conditions
    ) -> Blob:
        async with self._commits.locks.holding(address):
            blob = await self.head(address)
            check_tags(conditions, blob.properties)
            check_change(conditions, blob.stamp)
            self.leases.check_read(address, conditions.lease)
            blob = dataclasses.replace(blob, properties=created(blob.properties, blob.stamp))
            return await self.snapshots.take(blob, self._find.parts(address), metadata)

    def _open(self, address: BlobAddress, parts: Parts, conditions: Conditions) -> OpenBlob:
        """File and row of one version. Blocks."""
        while True:
            contents = self._at.back_end.blobs.open(parts)
            if contents is None:
                raise self._find.missing(address)
            try:
                stamp = self._commits.appending.get(address) or contents.stamp
                said = self._at.rows.properties(address, stamp)
                check_tags(conditions, said)
                check_read(conditions, stamp)
                self.leases.check_read(address, conditions.lease)
            except BaseException:
                contents.close()
                raise
            if said is not None or self._at.back_end.blobs.stamp(parts) == stamp:
                return OpenBlob(Blob(address, stamp, said or Properties()), contents)
            contents.close()  # replaced, and its row removed, between the two looks

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a commit whole, even if the caller is cancelled: its lock must cover its threads."""
        task = asyncio.ensure_future(work)
        self._committing.add(task)
        task.add_done_callback(self._committing.discard)
        return await asyncio.shield(task)

    def _next_mtime_ns(self) -> int:
        """The time, but never the same twice: it is the version of a file."""
        now = (self._at.clock() - EPOCH) // timedelta(microseconds=1) * 1000
        self._last_mtime_ns = max(now, self._last_mtime_ns + TICK_NS)
        return self._last_mtime_ns
