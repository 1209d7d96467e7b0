"""Blobs of this server as files: in place, or on their way from and to an object store."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol

from lazulite.blobs.back_end import BackEnd
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.references import BlobPath
from lazulite.core.errors import SpecError
from lazulite.remote.background import Bringer
from lazulite.remote.outgoing import Outgoing
from lazulite.remote.own_blobs import OwnBlobs


class BlobPaths(Protocol):
    """From blobs to paths. Accounts and containers have been checked."""

    def readable(self, blob: BlobPath) -> Path:
        """The file or folder, which need not exist. Raises StillFetching."""
        ...

    def writable(self, blob: BlobPath, writer: str) -> Path:
        """Where to write it. writer: whom Delivery knows the files by."""
        ...

    def is_there(self, blob: BlobPath) -> bool:
        """Whether there is a blob of this very name. Blocks."""
        ...


class Delivery(Protocol):
    """Sees that what was written becomes blobs."""

    def follow(self, writer: str) -> None:
        """Let what is small be seen while it is written. Returns at once."""
        ...

    def is_delivered(self, writer: str) -> bool:
        """Whether all is where it belongs, but for failure(); on its way from the first call on."""
        ...

    def failure(self, writer: str) -> SpecError | None:
        """What could not be delivered, and is kept; None if there is nothing."""
        ...

    async def deliver(self, writer: str) -> None:
        """Wait until all is where it belongs. Raises BlobError if that cannot be."""
        ...

    async def drop(self, writer: str) -> None:
        """Forget what was not delivered."""
        ...

    async def close(self) -> None:
        """Stop what is on its way, for the next start to go on with."""
        ...


@dataclasses.dataclass(frozen=True)
class InPlace:
    """Where blobs are plain files, they are read and written where they are."""

    root: Path
    """Where the blob store keeps accounts."""

    def readable(self, blob: BlobPath) -> Path:
        """The file of the blob: a path without links, as others may change what a link leads to.

        Raises SpecError for a path that leads out of the container.
        """
        container = (self.root / blob.account / blob.container).resolve()
        path = (container / blob.path).resolve()
        if not path.is_relative_to(container):
            raise _led_away(blob.path)
        return path

    def writable(self, blob: BlobPath, writer: str) -> Path:
        """The same file."""
        return self.readable(blob)

    def is_there(self, blob: BlobPath) -> bool:
        """Whether the file is there."""
        return self.readable(blob).exists()

    def follow(self, writer: str) -> None:
        """It is seen at once."""

    def is_delivered(self, writer: str) -> bool:
        """It is where it belongs."""
        return True

    def failure(self, writer: str) -> SpecError | None:
        """There is none."""
        return None

    async def deliver(self, writer: str) -> None:
        """It is where it belongs."""

    async def drop(self, writer: str) -> None:
        """What is written is a blob already."""

    async def close(self) -> None:
        """Nothing is on its way."""


@dataclasses.dataclass(frozen=True)
class Brought:
    """Where blobs are objects, they are brought to the disk, and written there first."""

    bringer: Bringer
    back_end: BackEnd
    outgoing: Outgoing

    def readable(self, blob: BlobPath) -> Path:
        """A copy, made anew where the blobs have changed."""
        return self.bringer.own(OwnBlobs(blob.account, blob.container, blob.path), self.back_end)

    def writable(self, blob: BlobPath, writer: str) -> Path:
        """A folder of the writer's own, in which nothing is that was there before."""
        address = BlobAddress(blob.account, blob.container, blob.path)
        return self.outgoing.place(writer, address)

    def is_there(self, blob: BlobPath) -> bool:
        """Whether the object store has it."""
        parts = (blob.account, blob.container, *blob.path.split("/"))
        return self.back_end.blobs.stamp(parts) is not None


def _led_away(path: str) -> SpecError:
    """Whoever may write a blob's folder may make links there; they must not open other folders."""
    return SpecError(
        "LinkNotFollowed",
        f"The path {path[:200]!r} leads out of its container by a link. Copy the files into the "
        "container, or name their folder by a datastore of type LocalFolder.",
    )
