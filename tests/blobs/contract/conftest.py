"""The places that can keep blobs, each with a way past the store, as other tools have it."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx2
import obstore
import pytest
from azure.storage.blob import BlobServiceClient
from obstore.store import MemoryStore

from lazulite.blobs.objects import Objects, open_objects
from lazulite.blobs.store import BlobStore
from tests.blobs.conftest import opened_store
from tests.live import wait_for

MOTO = Path(sys.prefix) / "object-stores" / "bin" / "moto_server"
AZURITE = Path(sys.prefix) / "storage-clients" / "node_modules/azurite/dist/src/blob/main.js"
ACCOUNT, KEY = "foreign", base64.b64encode(b"of a foreign account").decode()


class Outside:
    """Objects, as another program sees them. Names: account/container/blob."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def write(self, name: str, data: bytes) -> None:
        obstore.put(self.objects._store, name, data)

    def read(self, name: str) -> bytes:
        return bytes(obstore.get(self.objects._store, name).bytes())

    def remove(self, name: str) -> None:
        obstore.delete(self.objects._store, name)

    def names(self) -> list[str]:
        return sorted(one["path"] for one in obstore.list(self.objects._store).collect())


class Files:
    """The same for plain files."""

    objects = None

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def names(self) -> list[str]:
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(map(str, found))


@dataclasses.dataclass(frozen=True)
class Kept:
    """A place for blobs. open(): a store over it; again, it is a restart."""

    outside: Outside | Files
    open: Callable[[], contextlib.AbstractAsyncContextManager[BlobStore]]


@pytest.fixture(
    params=[
        "local",
        "memory",
        pytest.param("s3", marks=pytest.mark.slow),
        pytest.param("azure", marks=pytest.mark.slow),
    ]
)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "local":
        outside: Outside | Files = Files(tmp_path / "blobs")
    elif request.param == "memory":
        outside = Outside(Objects(MemoryStore()))
    else:
        outside = Outside(open_objects(request.getfixturevalue(request.param)))
    return Kept(outside, lambda: opened_store(tmp_path, objects=outside.objects))


@pytest.fixture
async def store(kept: Kept) -> AsyncIterator[BlobStore]:
    """With the container files of account mlstore."""
    async with kept.open() as store:
        await store.containers.create("mlstore", "files")
        yield store


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of its own on a server with the protocol of S3."""
    for name, value in {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = uuid.uuid4().hex
    httpx2.put(f"{moto}/{bucket}").raise_for_status()
    return f"s3://{bucket}/some/prefix"


@pytest.fixture
def azure(azurite: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A container of its own of a foreign Azure account."""
    for name, value in {
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "AZURE_STORAGE_ENDPOINT": f"{azurite}/{ACCOUNT}",
    }.items():
        monkeypatch.setenv(name, value)
    container = uuid.uuid4().hex
    with BlobServiceClient(f"{azurite}/{ACCOUNT}", credential=KEY) as service:
        service.create_container(container)
    return f"az://{container}/some/prefix"


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    if not MOTO.exists():
        pytest.skip("no S3 server: make .venv/.ready-objects")
    port = _free_port()
    with _running([str(MOTO), "-H", "127.0.0.1", "-p", str(port)], port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not AZURITE.exists():
        pytest.skip("no Azurite: make .venv/.ready-storage, with npm")
    port, folder = _free_port(), tmp_path_factory.mktemp("azurite")
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    command = ["node", str(AZURITE), *options, "--blobPort", str(port), "--location", str(folder)]
    with _running(command, port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    env = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=env, **quiet) as server:
        try:
            wait_for(lambda: _answers(port), 60)
            yield
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
