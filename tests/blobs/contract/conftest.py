"""The places that can keep blobs, each with a way past the store, as other tools have it."""

from __future__ import annotations

import contextlib
import dataclasses
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
from tests.object_stores import ACCOUNT, KEY, azure_server, s3_server, s3_variables


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
    for name, value in s3_variables(moto).items():
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
    with s3_server() as url:
        yield url


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with azure_server(tmp_path_factory.mktemp("azurite")) as url:
        yield url
