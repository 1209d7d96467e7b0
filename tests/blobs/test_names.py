"""Every name that Azure takes is a blob, be it a file's or not."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazulite.blobs.conditions import Conditions
from lazulite.blobs.listing import Query
from lazulite.blobs.values import Properties
from tests.blobs.conftest import opened_store
from tests.blobs.files import folder_of, root_of
from tests.blobs.test_store import at, content, names, put

AWKWARD = ["/a", "a/", "a", "a/b", "a//b", "//", "/", "a/b/", "x" * 256, "é" * 128 + "/b"]
LONG = ["a/" * 253 + "b", "é" * 1024, "x" * 1024]
segments = st.one_of(
    st.sampled_from(["", "a", "b", "a-", "a.b", ".x", "é", "-", "=", "z" * 256]),
    st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), max_size=6),
).filter(lambda text: text not in {".", ".."})
legal = st.lists(segments, min_size=1, max_size=4).map("/".join).filter(bool)


async def put_all(store, wanted):
    for name in wanted:
        await put(store, name, name.encode())


@pytest.mark.parametrize("order", [1, -1])
async def test_awkward_names_live_beside_each_other(open_store, order):
    wanted = [*AWKWARD, *LONG][::order]
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await put_all(store, wanted)
    async with open_store() as store:
        assert await names(store) == sorted(wanted)
        for name in wanted:
            assert await content(store, name) == name.encode()
        for name in wanted:
            await store.delete(at(name))
        assert await names(store) == []
        assert list(folder_of(store).iterdir()) == []
        assert [file for _, _, file, _ in os.fwalk(root_of(store) / ".aside") if file] == []


@given(st.lists(legal, min_size=1, max_size=12, unique=True), st.data())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_any_legal_names_round_trip_and_list_in_order(wanted, data):
    async def check() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with opened_store(Path(folder)) as store:
                await store.containers.create("mlstore", "files")
                await put_all(store, wanted)
                gone = data.draw(st.sampled_from(wanted))
                await store.delete(at(gone))
                left = sorted(set(wanted) - {gone})
                assert await names(store) == left
                for name in left:
                    assert await content(store, name) == name.encode()
                prefix = data.draw(st.sampled_from(["", *(name[:2] for name in wanted)]))
                assert await paged(store, prefix) == grouped(left, prefix)
            async with opened_store(Path(folder)) as store:
                assert await names(store) == left

    asyncio.run(check())


async def paged(store, prefix):
    """Names and common prefixes, two at a time."""
    found, marker = [], ""
    while marker is not None:
        query = Query(prefix=prefix, delimiter="/", marker=marker, limit=2)
        page = await store.list_blobs("mlstore", "files", query)
        found += sorted([*(blob.address.name for blob in page.blobs), *page.prefixes])
        marker = page.marker
    return found


def grouped(wanted, prefix):
    """The same, from the rule."""
    found = set()
    for name in wanted:
        if name.startswith(prefix):
            head, slash, _ = name[len(prefix) :].partition("/")
            found.add(prefix + head + slash if slash else name)
    return sorted(found)


async def test_names_that_begin_with_a_slash_are_grouped_beside_all_others(store):
    await put_all(store, ["/", "/x", "a", "b", "c/d"])
    assert await paged(store, "") == ["/", "a", "b", "c/"]


async def test_folder_marker_makes_way_and_keeps_its_version_and_properties(store):
    marker = await put(store, "d", b"", properties=Properties(metadata={"hdi_isfolder": "true"}))
    await put(store, "d/file", b"data")
    assert (folder_of(store) / "d" / "file").read_bytes() == b"data"
    assert await store.head(at("d")) == marker
    again = await put(store, "d", b"new")
    assert await content(store, "d") == b"new"
    assert (await store.head(at("d"))).stamp == again.stamp
    assert await names(store) == ["d", "d/file"]


async def test_marker_that_had_half_made_way_when_the_server_died_is_there_once(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        marker = await put(store, "d", b"x")
        files, parts = store._at.back_end.blobs, ("mlstore", "files", "d")
        files._aside.move_in(files._tree.linked(parts), parts)  # and here kill -9 strikes
        assert await names(store) == ["d"]
    async with open_store() as store:
        assert await names(store) == ["d"]
        assert await store.head(at("d")) == marker
        await store.delete(at("d"))
        assert await names(store) == []


async def test_awkward_blobs_go_with_their_container(store):
    await put_all(store, AWKWARD)
    await store.delete_container("mlstore", "files")
    await store.containers.create("mlstore", "files")
    assert await names(store) == []


async def test_deletion_that_was_cut_short_between_its_two_trees_leaves_nothing(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await put_all(store, AWKWARD)
        folder_of(store).rename(root_of(store).parent / "gone")  # and here kill -9 strikes
    async with open_store() as store:
        assert not list((root_of(store) / ".aside").glob("*/*"))
        await store.containers.create("mlstore", "files")
        assert await names(store) == []


async def test_blobs_do_not_come_back_with_a_container_that_other_hands_removed(store):
    await put_all(store, AWKWARD)
    shutil.rmtree(folder_of(store))
    await store.containers.create("mlstore", "files")
    assert await names(store) == []
    await put(store, "a", b"new")
    assert (folder_of(store) / "a").read_bytes() == b"new"


async def test_container_made_anew_during_its_deletion_keeps_what_is_acknowledged(store):
    await put_all(store, AWKWARD)
    folders = store.back_end.containers
    buried, go_on = threading.Event(), threading.Event()
    forget = folders._aside.forget

    def slow(container):
        buried.set()
        assert go_on.wait(30)
        forget(container)

    folders._aside.forget = slow
    deleting = asyncio.create_task(asyncio.to_thread(folders.remove, ("mlstore", "files")))
    await asyncio.to_thread(buried.wait, 30)
    folders._aside.forget = forget
    making = asyncio.create_task(make_and_put(store, "new//blob"))
    await asyncio.wait([making], timeout=0.2)
    go_on.set()
    await asyncio.gather(deleting, making)
    assert await names(store) == ["new//blob"]
    assert await content(store, "new//blob") == b"new"


async def make_and_put(store, name):
    await store.containers.create("mlstore", "files")
    await put(store, name, b"new")


async def test_awkward_blob_has_blocks_snapshots_and_metadata_as_any_other(store):
    blob = await put(store, "a//b/", b"one")
    taken = await store.take_snapshot(at("a//b/"), {}, Conditions())
    await put(store, "a//b/", b"two")
    opened = await store.open_snapshot(at("a//b/"), taken.snapshot)
    assert b"".join([chunk async for chunk in opened.chunks(0, blob.size)]) == b"one"
    opened.close()
    said = await store.update(at("a//b/"), lambda said: Properties(metadata={"k": "v"}))
    assert await store.head(at("a//b/")) == said
