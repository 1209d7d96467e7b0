"""A store in a temporary folder, and a real server in front of one."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import uvicorn

from lazulite.blobs.authorization import Authorizer, refuse_bearer
from lazulite.blobs.bindings import Bindings
from lazulite.blobs.gateway import Gateway
from lazulite.blobs.object_back_end import object_back_end
from lazulite.blobs.objects import Objects
from lazulite.blobs.rows import BlobRows
from lazulite.blobs.store import BlobStore
from lazulite.core.clock import Clock, utc_now
from lazulite.store.database import close_database, open_database

KEY = bytes(range(64))


@contextlib.asynccontextmanager
async def opened_store(
    folder: Path, clock: Clock = utc_now, objects: Objects | None = None
) -> AsyncIterator[BlobStore]:
    """What a server does at start and at its end. objects: keep the blobs; None: plain files."""
    engine = await open_database(folder / "state.db")
    rows, root = BlobRows(engine), folder / "blobs"
    if objects is None:
        store = BlobStore(root, rows, clock)
    else:
        store = BlobStore(root, rows, clock, partial(object_back_end, objects, Bindings(engine)))
    await store.start()
    try:
        yield store
    finally:
        await store.close()
        await close_database(engine)


@pytest.fixture
def open_store(tmp_path: Path) -> Callable[..., contextlib.AbstractAsyncContextManager[BlobStore]]:
    """Opens the store of this test; again, it is a restart."""
    return lambda clock=utc_now: opened_store(tmp_path, clock)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BlobStore]:
    """A started store with one container, files/c of account mlstore."""
    async with opened_store(tmp_path) as store:
        await store.containers.create("mlstore", "files")
        yield store


@dataclasses.dataclass(frozen=True)
class Served:
    """A running gateway."""

    port: int
    folder: Path
    key: bytes = KEY

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The gateway on a loopback port, for clients that know nothing of it."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # for TCP_NODELAY
        listener.bind(("127.0.0.1", 0))
        stop, ready = threading.Event(), threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(tmp_path, listener, ready, stop)), daemon=True
        )
        thread.start()
        assert ready.wait(20), "the server did not start"
        yield Served(listener.getsockname()[1], tmp_path / "blobs")
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


async def _serve(
    folder: Path, listener: socket.socket, ready: threading.Event, stop: threading.Event
) -> None:
    async def keys(account: str) -> list[bytes]:
        return [KEY] if account == "mlstore" else []

    async with opened_store(folder) as store:
        await store.containers.create("mlstore", "azureml-blobstore")
        authorizer = Authorizer(keys, utc_now, refuse_bearer, "Bearer")
        config = uvicorn.Config(Gateway(store, authorizer, utc_now), log_level="warning")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.02)
        server.should_exit = True
        deadline = time.monotonic() + 30
        while not serving.done() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await serving
