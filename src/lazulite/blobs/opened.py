"""A blob being read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from lazulite.blobs.contents import Contents
from lazulite.blobs.staging import BUFFER
from lazulite.blobs.values import Blob

READ_AHEAD = 1 << 18  # bytes


class Source(Protocol):
    """What a copy reads: a blob of this server or of another one."""

    @property
    def blob(self) -> Blob:
        """What is said of it."""
        ...

    def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from start up to stop."""
        ...

    def close(self) -> None:
        """Call it once, when the reading is over."""
        ...


class OpenBlob:
    """A blob being read: the bytes of one version, even if it is replaced or deleted meanwhile."""

    def __init__(self, blob: Blob, contents: Contents) -> None:
        """contents: owned from now on; close() closes them."""
        self.blob, self._contents, self._ahead = blob, contents, b""

    def read_ahead(self) -> OpenBlob:
        """Itself, with a small blob's bytes in memory: no more hops to threads. Blocks."""
        if self.blob.size <= READ_AHEAD:
            self._ahead = self._contents.read(0, self.blob.size)
        return self

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from start up to stop. Raises EOFError if they are not there any more."""
        if start < stop <= len(self._ahead):
            yield self._ahead[start:stop]
            return
        while start < stop:
            size = min(BUFFER, stop - start)
            data = await asyncio.to_thread(self._contents.read, start, size)
            if not data:
                raise EOFError(f"{self.blob.address} was cut short while it was read")
            yield data
            start += len(data)

    def close(self) -> None:
        """Call it once, when the reading is over."""
        self._contents.close()
