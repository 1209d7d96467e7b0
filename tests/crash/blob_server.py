"""A blob server to be killed: python blob_server.py FOLDER [URL]. Prints its port when it serves.

URL: of the object store that keeps the blobs.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn

from lazulite.blobs.folders import local_folders
from lazulite.blobs.gateway import Gateway
from lazulite.blobs.object_back_end import back_end_at
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.store import BlobStore
from lazulite.core.clock import utc_now
from lazulite.store.database import open_database


async def allow(request, account, permission, container, blob) -> None:
    """The parent process is the only client."""


async def main(folder: Path, url: str) -> None:
    engine = await open_database(folder / "state.db")
    back_end = back_end_at(url, engine) if url else local_folders
    store = BlobStore(folder / "blobs", BlobRows(engine), utc_now, back_end)
    await store.start()
    await store.containers.ensure("mlstore", "files")
    config = uvicorn.Config(Gateway(store, allow, utc_now), log_level="warning", access_log=False)
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # for TCP_NODELAY
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        print(listener.getsockname()[1], flush=True)
        await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), "".join(sys.argv[2:])))
