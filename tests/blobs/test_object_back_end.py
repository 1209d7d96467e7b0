"""What is special to blobs in an object store: crashes between two stores, and what it tells."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from datetime import UTC, datetime

import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from lazulite.blobs.bindings import Row, known_stamp, stamp_of
from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query, list_page
from lazulite.blobs.object_back_end import back_end_at
from lazulite.blobs.object_folders import DOOMED
from lazulite.blobs.object_walk import ObjectWalk
from lazulite.blobs.objects import FoundObject, Objects, open_objects
from lazulite.blobs.staging import Staging
from lazulite.blobs.values import Properties, Stamp
from lazulite.core.settings import SettingError
from lazulite.store.database import close_database, open_database
from tests.blobs.conftest import opened_store
from tests.blobs.contract.blobs import at, content, listed, names, put
from tests.blobs.test_listing import expected

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAID = Properties(metadata={"x": "y"})


class Crash(BaseException):
    """The process ends here, as far as the blob is concerned."""


class Crashing(Objects):
    """Ends before or after one of its steps."""

    def __init__(self, store):
        super().__init__(store)
        self.before = self.after = ""

    def put(self, name, source, version=None):
        self._end(self.before, name)
        done = super().put(name, source, version)
        self._end(self.after, name)
        return done

    def remove(self, names):
        names = list(names)
        for name in names:
            self._end(self.before, name)
        super().remove(names)

    def _end(self, where, name):
        if where and where in name:
            raise Crash


@pytest.fixture
def objects():
    return Crashing(MemoryStore())


@pytest.fixture
def open_store(tmp_path, objects):
    return lambda: opened_store(tmp_path, objects=objects)


@pytest.fixture
async def store(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        yield store


def found(size=1, e_tag="E", version=None):
    return FoundObject("mlstore/files/a", size, THEN, e_tag, version)


def test_an_object_is_the_version_in_its_metadata_if_there_is_a_row_of_it():
    rows = [Row(Stamp(1, 7), None), Row(Stamp(1, 8), "E")]
    assert known_stamp(found(version=7), rows) == Stamp(1, 7)
    assert known_stamp(found(version=8), rows) == Stamp(1, 8)
    assert known_stamp(found(version=9), rows) == Stamp(1, 8)  # its properties changed since


def test_an_object_of_other_hands_has_a_version_of_its_own():
    stamp = known_stamp(found(), [Row(Stamp(1, 7), "other"), Row(Stamp(2, 8), "E")])
    assert stamp.size == 1
    assert stamp.modified == THEN
    assert stamp != known_stamp(found(e_tag="F"), [])
    assert known_stamp(found(version=7, e_tag="F"), [Row(Stamp(1, 7), "E")]) != Stamp(1, 7)


def test_a_list_asks_only_where_a_row_waits_for_its_object():
    assert stamp_of(found(), [Row(Stamp(1, 7), "E")]) == Stamp(1, 7)
    assert stamp_of(found(), [Row(Stamp(1, 7), "E"), Row(Stamp(2, 8), None)]) == Stamp(1, 7)
    assert stamp_of(found(), [Row(Stamp(1, 7), "E"), Row(Stamp(1, 8), None)]) is None


@pytest.mark.parametrize("again", [b"new", b"old"])
async def test_a_crash_before_the_upload_leaves_the_old_blob(open_store, objects, again):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        old = await put(store, "a", b"old", properties=SAID)
        objects.before = "/a"
        with pytest.raises(Crash):
            await put(store, "a", again)
        objects.before = ""
        assert (await listed(store)).blobs == (old,) == (await store.head(at("a")),)
    async with open_store() as store:
        assert (await listed(store)).blobs == (old,) == (await store.head(at("a")),)


@pytest.mark.parametrize("again", [b"new", b"old"])
async def test_a_crash_before_the_binding_leaves_the_new_blob_whole(open_store, objects, again):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await put(store, "a", b"old")
        objects.after = "/a"
        with pytest.raises(Crash):
            await put(store, "a", again, properties=SAID)
        objects.after = ""
        (new,) = (await listed(store)).blobs
        assert new.properties.metadata == {"x": "y"}
        assert new == await store.head(at("a"))
    async with open_store() as store:
        assert store.back_end.blobs._bindings.unbound() == []
        assert (await listed(store)).blobs == (new,)
        assert await content(store, "a") == again


async def test_a_row_without_an_object_goes_at_the_next_start(open_store, objects):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        objects.before = "/a"
        with pytest.raises(Crash):
            await put(store, "a", b"1", properties=SAID)
        objects.before = ""
        assert len(store.back_end.blobs._bindings.unbound()) == 1
    async with open_store() as store:
        await store._sweeping
        assert store.back_end.blobs._bindings.unbound() == []
        assert await names(store) == []


async def test_an_interrupted_deletion_of_a_container_is_finished(open_store, objects):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        for name in ("a", "b"):
            await put(store, name, b"1")
        objects.before = "/b"
        with contextlib.suppress(Crash):
            await store.delete_container("mlstore", "files")
        objects.before = ""
        assert await store.containers.all("mlstore") == []
        with pytest.raises(BlobError):
            await put(store, "c", b"1")
    async with open_store() as store:
        assert list(objects.listed("")) == []
        assert not await store.containers.all("mlstore")


async def test_a_container_whose_deletion_failed_can_be_made_again(store, objects):
    await put(store, "a", b"1")
    objects.before = "/a"
    with contextlib.suppress(Crash):
        await store.delete_container("mlstore", "files")
    objects.before = ""
    await store.containers.create("mlstore", "files")
    assert await names(store) == []
    assert objects.folders(DOOMED) == []


class Slow(Objects):
    """Uploads wait until they are let go."""

    def __init__(self, store):
        super().__init__(store)
        self.begun, self.go = threading.Event(), threading.Event()

    def put(self, name, source, version=None):
        if version is not None:
            self.begun.set()
            assert self.go.wait(30)
        return super().put(name, source, version)


async def test_an_upload_does_not_outlive_its_container(tmp_path):
    slow = Slow(MemoryStore())
    async with opened_store(tmp_path, objects=slow) as store:
        await store.containers.create("mlstore", "files")
        writing = asyncio.create_task(put(store, "a", b"1"))
        await asyncio.to_thread(slow.begun.wait, 30)
        await store.delete_container("mlstore", "files")
        slow.go.set()
        with pytest.raises(BlobError) as refused:
            await writing
        assert refused.value.code == "ContainerNotFound"
        assert list(slow.listed("")) == []


async def test_a_reader_of_a_replaced_object_gets_an_error_and_no_mixture(store):
    await put(store, "a", b"old" * 1_000_000)
    opened = await store.open(at("a"))
    chunks = opened.chunks(0, opened.blob.size)
    assert (await anext(chunks)).startswith(b"old")
    await put(store, "a", b"new" * 1_000_000)
    with pytest.raises(EOFError):
        async for _ in chunks:
            pass
    opened.close()


@pytest.fixture
def unreachable(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return "s3://bucket"


async def test_a_store_that_fails_is_no_error_of_the_client(unreachable):
    with pytest.raises(BlobError) as failed:
        await asyncio.to_thread(open_objects(unreachable).head, "a")
    assert (failed.value.status, failed.value.code) == (503, "ServerBusy")
    assert "127.0.0.1" not in str(failed.value)


async def test_a_store_that_does_not_answer_is_named_at_the_start(unreachable, tmp_path):
    engine = await open_database(tmp_path / "state.db")
    staging = Staging(tmp_path, int)
    back_end = back_end_at(unreachable, engine)(tmp_path, staging)
    with pytest.raises(SettingError, match=r"127\.0\.0\.1:9"):
        await asyncio.to_thread(back_end.start)
    await close_database(engine)


class Unbound:
    """No row of any blob."""

    def of(self, keys):
        return {key: [] for key in keys}


@settings(max_examples=150)
@given(
    names=st.sets(st.text("ab-./0é", min_size=1, max_size=8).filter(lambda name: sayable(name))),
    prefix=st.text("ab-./0", max_size=4),
    delimiter=st.sampled_from(["", "/", "-", "a/", "b"]),
    limit=st.integers(1, 6),
)
def test_pages_together_are_the_sorted_names(names, prefix, delimiter, limit):
    memory = MemoryStore()
    for name in [*names]:
        obstore.put(memory, f"mlstore/files/{name}", b"1")
    obstore.put(memory, "mlstore/filet/a", b"of another container")
    found, marker = [], ""
    while True:
        query = Query(prefix, delimiter, marker, limit)
        walk = ObjectWalk(Objects(memory), Unbound(), ("mlstore", "files"), query)
        page, marker = list_page(walk, query)
        found += [item.name for item in page]
        if not marker:
            break
        assert len(page) == limit
    assert found == expected(names, prefix, delimiter)


def sayable(name):
    return not {"", ".", ".."} & set(name.split("/"))


async def test_a_large_group_is_left_with_a_jump(tmp_path):
    memory = MemoryStore()
    for number in range(2500):
        obstore.put(memory, f"mlstore/files/many/{number:05}", b"")
    obstore.put(memory, "mlstore/files/z", b"")
    counting = Counting(memory)
    query = Query(delimiter="/", limit=10)
    page, _ = list_page(ObjectWalk(counting, Unbound(), ("mlstore", "files"), query), query)
    assert [item.name for item in page] == ["many/", "z"]
    assert counting.seen < 100


class Counting(Objects):
    """Counts the objects that are listed."""

    seen = 0

    def listed(self, folder, after="", page=1000):
        for some in super().listed(folder, after, page):
            self.seen += len(some)
            yield some
