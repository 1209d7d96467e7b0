"""What every back end does with containers, and with what other tools put there."""

import asyncio
import itertools
import threading

import pytest

from lazulite.blobs.conditions import Conditions
from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query
from lazulite.blobs.values import Properties
from tests.blobs.contract.blobs import at, content, listed, names, put

NAMES = ["a-b", "a.c", "a/b", "a/b-c/d", "a/c/d", "a/c/e", "a0", "b", "b0/c/d/e", "ü/a", "ü/b", "z"]
PREFIXES, DELIMITERS = ["", "a", "a/c", "b0/", "x", "ü/"], ["", "/", "c/"]


def expected(prefix, delimiter):
    found = set()
    for name in NAMES:
        if name.startswith(prefix):
            head, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            found.add(prefix + head + cut if cut else name)
    return sorted(found)


async def all_pages(store, **query):
    found, marker = [], ""
    while marker is not None:
        page = await listed(store, **query, marker=marker)
        found += sorted([*(blob.address.name for blob in page.blobs), *page.prefixes])
        assert len(page.blobs) + len(page.prefixes) <= query["limit"]
        marker = page.marker
    return found


async def test_pages_together_are_the_sorted_names(store):
    for name in NAMES:
        await put(store, name, b"1")
    for prefix, delimiter in itertools.product(PREFIXES, DELIMITERS):
        found = await all_pages(store, prefix=prefix, delimiter=delimiter, limit=4)
        assert found == expected(prefix, delimiter)


async def test_a_container_is_made_once(store):
    with pytest.raises(BlobError) as refused:
        await store.containers.create("mlstore", "files")
    assert refused.value.code == "ContainerAlreadyExists"
    await store.containers.ensure("mlstore", "more")
    assert [one.name for one in await store.containers.all("mlstore")] == ["files", "more"]
    assert await store.containers.all("other") == []


async def test_nothing_is_written_to_a_container_that_is_not_there(store, kept):
    await store.delete_container("mlstore", "files")
    for attempt in (put(store, "a", b"1"), store.head(at("a")), listed(store)):
        with pytest.raises(BlobError) as missing:
            await attempt
        assert missing.value.code == "ContainerNotFound"
    assert [name for name in kept.outside.names() if not name.startswith(".")] == []


async def test_a_deleted_container_takes_everything_along(store, kept):
    for number in range(3):
        await put(store, f"a/{number}", b"1", properties=Properties(metadata={"of": "old"}))
    await store.take_snapshot(at("a/0"), {}, Conditions())
    await store.delete_container("mlstore", "files")
    assert kept.outside.names() == []
    await store.containers.create("mlstore", "files")
    assert await names(store) == []
    await put(store, "a/0", b"2")
    assert (await store.head(at("a/0"))).properties.metadata == {}


async def test_the_name_of_a_container_is_taken_while_it_is_being_deleted(store):
    await put(store, "a", b"1")
    remove, going, go_on = store.back_end.containers.remove, threading.Event(), threading.Event()

    def slow(parts):
        remove(parts)
        going.set()
        assert go_on.wait(30)

    store.back_end.containers.remove = slow
    deleting = asyncio.create_task(store.delete_container("mlstore", "files"))
    await asyncio.to_thread(going.wait, 30)
    for work in (store.containers.create, store.containers.ensure, store.delete_container):
        with pytest.raises(BlobError) as refused:
            await work("mlstore", "files")
        assert refused.value.code == "ContainerBeingDeleted"
    go_on.set()
    await deleting
    await store.containers.create("mlstore", "files")
    assert await names(store) == []


async def test_what_other_tools_write_is_a_blob_with_default_properties(store, kept):
    kept.outside.write("mlstore/files/a/b", b"of a tool")
    blob = await store.head(at("a/b"))
    assert (blob.size, blob.properties) == (9, Properties())
    assert (await listed(store)).blobs == (blob,)
    assert await content(store, "a/b") == b"of a tool"
    changed = await store.update(at("a/b"), lambda said: Properties(metadata={"x": "y"}))
    assert (await listed(store)).blobs == (changed,) == (await store.head(at("a/b")),)


async def test_what_other_tools_write_over_a_blob_has_its_properties_no_more(store, kept):
    old = await put(store, "a", b"1", properties=Properties(metadata={"x": "y"}))
    kept.outside.write("mlstore/files/a", b"22")
    new = await store.head(at("a"))
    assert (new.size, new.properties) == (2, Properties())
    assert new.stamp.etag != old.stamp.etag
    assert (await listed(store)).blobs == (new,)
    with pytest.raises(BlobError):
        await put(store, "a", b"3", conditions=Conditions(if_match=old.stamp.etag))
    kept.outside.remove("mlstore/files/a")
    assert await names(store) == []


async def test_what_other_tools_made_is_a_container(kept):
    async with kept.open():
        """So that the root is there."""
    kept.outside.write("mlstore/theirs/a", b"1")
    async with kept.open() as store:
        kept.outside.write("mlstore/later/a", b"1")
        found = await store.containers.all("mlstore")
        assert [one.name for one in found] == ["later", "theirs"]
        assert (await store.list_blobs("mlstore", "theirs", Query())).blobs[0].size == 1
