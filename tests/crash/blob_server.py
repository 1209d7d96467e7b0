"""A blob server to be killed: python blob_server.py FOLDER. Prints its port when it serves."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn

from lazulite.blobs.gateway import Gateway
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.store import BlobStore
from lazulite.core.clock import utc_now
from lazulite.store.database import open_database


async def allow(request, account, permission, container, blob) -> None:
    """The parent process is the only client."""


async def main(folder: Path) -> None:
    engine = await open_database(folder / "state.db")
    store = BlobStore(folder / "blobs", BlobRows(engine), utc_now)
    await store.start()
    await store.containers.ensure("mlstore", "files")
    config = uvicorn.Config(Gateway(store, allow, utc_now), log_level="warning", access_log=False)
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # for TCP_NODELAY
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        print(listener.getsockname()[1], flush=True)
        await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
