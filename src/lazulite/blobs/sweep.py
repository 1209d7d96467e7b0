"""After a crash: rows of versions that never came, or whose file is gone, found and removed.

A kill between the two halves of a write leaves a row that describes no file. Such a row is never
believed; the next write of its blob would remove it, but that may never come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lazulite.blobs.errors import BlobError
from lazulite.blobs.locks import Locks
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.values import Stamp

StampOf = Callable[[BlobAddress], Stamp | None]

PAGE = 1000  # rows looked at in one hop to a thread


async def sweep(rows: BlobRows, locks: Locks, stamp_of: StampOf) -> int:
    """Remove them while the store serves; their number. Safe to stop and to repeat.

    stamp_of: the version of the file that is there; blocks.
    """
    removed, last = 0, ("", 0, 0)
    while page := await rows.versions(last, PAGE):
        doubtful = await asyncio.to_thread(_doubtful, page, stamp_of)
        for address in doubtful:
            async with locks.holding(address):
                removed += await rows.prune(address, await asyncio.to_thread(stamp_of, address))
        last = page[-1][0].key, page[-1][1].size, page[-1][1].mtime_ns
    return removed


def _doubtful(page: list[tuple[BlobAddress, Stamp]], stamp_of: StampOf) -> dict[BlobAddress, None]:
    return {address: None for address, stamp in page if _of(address, stamp_of) != stamp}


def _of(address: BlobAddress, stamp_of: StampOf) -> Stamp | None:
    try:
        return stamp_of(address)
    except BlobError:
        return None  # a name that cannot be stored any more has no file
