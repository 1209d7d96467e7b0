"""A blob being read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from lazulite.blobs.staging import BUFFER
from lazulite.blobs.values import Blob


class OpenBlob:
    """A blob being read: the bytes of one version, even if it is replaced or deleted meanwhile."""

    def __init__(self, blob: Blob, descriptor: int) -> None:
        """descriptor: owned from now on; close() closes it."""
        self.blob, self.descriptor = blob, descriptor

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from start up to stop. Raises EOFError if a job has cut the file short."""
        while start < stop:
            size = min(BUFFER, stop - start)
            data = await asyncio.to_thread(os.pread, self.descriptor, size, start)
            if not data:
                raise EOFError(f"{self.blob.address} was cut short while it was read")
            yield data
            start += len(data)

    def close(self) -> None:
        """Call it once, when the reading is over."""
        os.close(self.descriptor)
