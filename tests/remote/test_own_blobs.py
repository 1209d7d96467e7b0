"""Blobs of an object store on their way to jobs, and what jobs write on its way back."""

from __future__ import annotations

import asyncio

import pytest
from obstore.store import MemoryStore

from lazulite.blobs.listing import Query
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.objects import Objects
from lazulite.blobs.values import Expected
from lazulite.core.errors import SpecError
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from lazulite.remote.background import Bringer, StillFetching
from lazulite.remote.cache import Cache
from lazulite.remote.outgoing import SMALL, Outgoing
from lazulite.remote.own_blobs import OwnBlobs
from tests.blobs.conftest import opened_store

ALL = OwnBlobs("mlstore", "files", "in")


@pytest.fixture
async def store(tmp_path):
    async with opened_store(tmp_path, objects=Objects(MemoryStore())) as store:
        await store.containers.create("mlstore", "files")
        yield store


@pytest.fixture
async def bringer(tmp_path):
    (tmp_path / "fetched").mkdir()
    cache = Cache(tmp_path / "fetched", 1 << 30, tuple)
    bringer = Bringer(Fetcher(Rules.parse([], [])), cache)
    yield bringer
    await bringer.close()


@pytest.fixture
def outgoing(tmp_path, store):
    return Outgoing(tmp_path / "outgoing", store)


def at(name):
    return BlobAddress("mlstore", "files", name)


async def put(store, name, data):
    async def body():
        yield data

    await store.put(at(name), body(), Expected(1 << 30))


async def brought(bringer, store, source=ALL):
    while True:
        try:
            return bringer.own(source, store.back_end)
        except StillFetching:
            await asyncio.sleep(0.005)


async def names(store):
    return [one.address.name for one in (await store.list_blobs("mlstore", "files", Query())).blobs]


async def content(store, name):
    opened = await store.open(at(name))
    try:
        return b"".join([chunk async for chunk in opened.chunks(0, opened.blob.size)])
    finally:
        opened.close()


async def delivered(outgoing, writer):
    while not outgoing.is_delivered(writer):
        await asyncio.sleep(0.005)


async def test_a_folder_is_brought_under_its_name(store, bringer):
    await put(store, "in/a", b"1")
    await put(store, "in/b/c", b"22")
    await put(store, "inside", b"of another")
    folder = await brought(bringer, store)
    assert folder.name == "in"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"a", "b/c"}
    assert (folder / "b/c").read_bytes() == b"22"


async def test_a_file_is_brought_under_its_name(store, bringer):
    await put(store, "in/b/c.csv", b"22")
    file = await brought(bringer, store, OwnBlobs("mlstore", "files", "in/b/c.csv"))
    assert (file.name, file.read_bytes()) == ("c.csv", b"22")


async def test_what_has_changed_is_brought_anew_and_what_has_not_is_not(store, bringer):
    await put(store, "in/a", b"1")
    first = await brought(bringer, store)
    assert await brought(bringer, store) == first
    await put(store, "in/a", b"2")
    second = await brought(bringer, store)
    assert ((first / "a").read_bytes(), (second / "a").read_bytes()) == (b"1", b"2")


async def test_what_is_not_there_is_no_path_that_is_there(store, bringer):
    assert not (await brought(bringer, store)).exists()


async def test_a_blob_and_a_folder_of_one_name_cannot_be_files(store, bringer):
    await put(store, "in/a", b"1")
    await put(store, "in/a/b", b"1")
    with pytest.raises(SpecError) as refused:
        await brought(bringer, store)
    assert "both a blob and a folder" in str(refused.value)


async def test_what_a_job_wrote_is_delivered_at_its_end_and_gone_from_the_disk(
    store, outgoing, tmp_path
):
    folder = outgoing.place("job", at("out"))
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "rows.csv").write_bytes(b"1,2")
    outgoing.place("job", at("large")).write_bytes(bytes(3 << 20))
    (folder / "secret").symlink_to("/etc/passwd")
    await delivered(outgoing, "job")
    assert await names(store) == ["large", "out/deep/rows.csv"]
    assert await content(store, "out/deep/rows.csv") == b"1,2"
    assert not (tmp_path / "outgoing" / "job").exists()
    assert outgoing.is_delivered("job")


async def test_a_container_is_made_for_what_is_delivered(store, outgoing):
    outgoing.place("job", BlobAddress("mlstore", "new", "out")).write_bytes(b"1")
    await delivered(outgoing, "job")
    assert (await store.head(BlobAddress("mlstore", "new", "out"))).size == 1


async def test_small_files_can_be_seen_while_a_job_runs(store, outgoing):
    outgoing.place("job", at("log")).write_bytes(b"line 1")
    outgoing.place("job", at("large")).write_bytes(bytes(SMALL + 1))
    outgoing.follow("job")
    while await names(store) != ["log"]:
        await asyncio.sleep(0.005)
    with outgoing.place("job", at("log")).open("ab") as log:
        log.write(b", line 2")
    await delivered(outgoing, "job")
    assert await content(store, "log") == b"line 1, line 2"
    assert await names(store) == ["large", "log"]


async def test_what_a_crash_left_is_delivered_by_the_next_server(store, outgoing, tmp_path):
    outgoing.place("job", at("out")).write_bytes(b"1")
    await delivered(Outgoing(tmp_path / "outgoing", store), "job")
    assert await names(store) == ["out"]


async def test_a_name_that_no_store_takes_keeps_nothing_else_back(store, outgoing):
    for name in ("bad\tname", "good"):
        outgoing.place("job", at(name)).write_bytes(b"1")
    await delivered(outgoing, "job")
    assert await names(store) == ["good"]


async def test_two_jobs_do_not_see_what_the_other_writes(outgoing):
    outgoing.place("one", at("out")).write_bytes(b"1")
    assert not outgoing.place("two", at("out")).exists()
    await outgoing.drop("one")
    assert outgoing.is_delivered("one")
