"""What jobs write for an object store: kept on this server's disk, and put there as blobs.

{root}/{writer}/{account}/{container}/{blob}, where the writer is a job. While it runs, small files
follow every few seconds, so that its logs can be read; at its end everything does, and the files
go. A crash leaves them, and the next call goes on. What the store refuses, say because somebody
holds a lease, is kept until it is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.opened import OpenBlob
from lazulite.blobs.store import BlobStore
from lazulite.blobs.tree import Tree
from lazulite.blobs.values import Blob, Expected, Properties, Stamp
from lazulite.blobs.walk import Walk
from lazulite.core.errors import SpecError

log = logging.getLogger(__name__)

EVERY_S = 5.0
SMALL = 1 << 20  # bytes of a file that is sent while its job runs
LARGEST = 5 << 40  # bytes; what stores take as one object


class Outgoing:
    """The folders of all writers. Called on the event loop."""

    def __init__(self, root: Path, store: BlobStore) -> None:
        """root: a folder of its own."""
        self._root, self._store = root, store
        self._sent: dict[str, dict[BlobAddress, Stamp]] = {}
        self._due: dict[str, float] = {}
        self._going: dict[str, asyncio.Task[None]] = {}
        self._refused: dict[str, dict[BlobAddress, BlobError]] = {}

    def place(self, writer: str, address: BlobAddress) -> Path:
        """Where to write what is to be the blob, or blobs below it."""
        folder = self._root / writer / address.account / address.container
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / address.name

    def follow(self, writer: str) -> None:
        """Send what is small and new, every now and then. Returns at once."""
        if writer not in self._going and time.monotonic() >= self._due.get(writer, 0.0):
            self._due[writer] = time.monotonic() + EVERY_S
            self._go(writer, SMALL)

    def is_delivered(self, writer: str) -> bool:
        """Whether all is where it belongs, but for failure(); on its way from the first call on."""
        if writer in self._going:
            return False
        if writer in self._refused or not (self._root / writer).exists():
            return True
        self._go(writer, LARGEST)
        return False

    def failure(self, writer: str) -> SpecError | None:
        """What the store refused to take, once all else is delivered; None if there is nothing."""
        refused = self._refused.get(writer)
        if not refused:
            return None
        address, error = next(iter(refused.items()))
        return SpecError(
            "OutputNotDelivered",
            f"{len(refused)} of the files written could not become blobs, such as "
            f"{address.name[:200]!r} in container {address.container!r}: {error.message} They are "
            f"kept below outgoing/{writer} in the server's data folder until the job is deleted: "
            "copy them from there, or remove what is in the way and run the job again.",
        )

    async def deliver(self, writer: str) -> None:
        """Wait until all is where it belongs. Raises BlobError where the store fails or refuses."""
        await self._send(writer, LARGEST)
        for error in self._refused.get(writer, {}).values():
            raise error

    async def drop(self, writer: str) -> None:
        """Forget what was not sent."""
        self._sent.pop(writer, None)
        self._refused.pop(writer, None)
        await asyncio.to_thread(shutil.rmtree, self._root / writer, ignore_errors=True)

    async def close(self) -> None:
        """Stop what is on its way; it is sent at the next start."""
        for task in self._going.values():
            task.cancel()
        await asyncio.gather(*self._going.values(), return_exceptions=True)

    def _go(self, writer: str, largest: int) -> None:
        task = asyncio.create_task(self._logged(writer, largest))
        self._going[writer] = task
        task.add_done_callback(lambda _: self._going.pop(writer))

    async def _logged(self, writer: str, largest: int) -> None:
        """A failing store heals by trying again, when the job is looked at next."""
        try:
            await self._send(writer, largest)
        except (BlobError, OSError):
            log.exception("outputs were not delivered", extra={"writer": writer})

    async def _send(self, writer: str, largest: int) -> None:
        sent, refused = self._sent.setdefault(writer, {}), dict[BlobAddress, BlobError]()
        for address in await asyncio.to_thread(lambda: list(self._written(writer, largest, sent))):
            try:
                sent[address] = await self._put(writer, address)
            except BlobError as error:
                if error.status >= 500 or error.code == "ContainerBeingDeleted":
                    raise
                refused[address] = error
        if largest == LARGEST and refused:
            self._refused[writer] = refused
            log.warning("outputs were refused", extra={"writer": writer, "count": len(refused)})
        elif largest == LARGEST:
            await self.drop(writer)

    def _written(
        self, writer: str, largest: int, sent: dict[BlobAddress, Stamp]
    ) -> Iterator[BlobAddress]:
        """The files that are not sent as they are. Links that a job made are none. Blocks."""
        tree = Tree(self._root / writer)
        for folder in (self._root / writer).glob("*/*"):
            container = folder.parent.name, folder.name
            for found in Walk(tree, container, Query()):
                address = BlobAddress(*container, found.name)
                new = found.stamp is not None and sent.get(address) != found.stamp
                if new and found.stamp is not None and found.stamp.size <= largest:
                    yield address

    async def _put(self, writer: str, address: BlobAddress) -> Stamp:
        """Send a file as it is now. One whose name no blob can have is left out, and logged."""
        parts = (address.account, address.container, *address.name.split("/"))
        contents = await asyncio.to_thread(Tree(self._root / writer).open, parts)
        if contents is None:
            return Stamp(0, 0)
        opened = OpenBlob(Blob(address, contents.stamp, Properties()), contents)
        try:
            body = opened.chunks(0, opened.blob.size)
            await self._store.containers.ensure(address.account, address.container)
            await self._store.put(address, body, Expected(LARGEST, hashed=False))
        except BlobError as error:
            if error.code != "InvalidResourceName":
                raise
            log.warning("an output was left out", extra={"blob": address.name, "why": str(error)})
        finally:
            opened.close()
        return contents.stamp
