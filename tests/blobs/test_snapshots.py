"""Snapshots: copies that stay as they were, until they are deleted."""

from __future__ import annotations

import pytest

from lazulite.blobs.conditions import Conditions
from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import Expected, Properties
from tests.blobs.files import path_of, root_of

A = BlobAddress("mlstore", "files", "a")
PLAIN = Conditions()


async def content(*pieces):
    for piece in pieces:
        yield piece


async def put(store, data, address=A):
    return await store.put(address, content(data), Expected(100), Properties(metadata={"k": "v"}))


async def text_of(opened):
    try:
        return b"".join([chunk async for chunk in opened.chunks(0, opened.blob.size)])
    finally:
        opened.close()


async def test_snapshot_stays_as_it_was_through_writes_by_client_and_job_and_restarts(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await put(store, b"old")
        taken = await store.take_snapshot(A, {}, PLAIN)
        await put(store, b"new")
        path_of(store, A).write_bytes(b"of a job")
    async with open_store() as store:
        opened = await store.open_snapshot(A, taken.snapshot)
        assert opened.blob.properties.metadata == {"k": "v"}
        assert (opened.blob.stamp, await text_of(opened)) == (taken.stamp, b"old")


async def test_blob_with_snapshots_goes_with_them_or_not_at_all(store):
    await put(store, b"old")
    taken = await store.take_snapshot(A, {"m": "2"}, PLAIN)
    with pytest.raises(BlobError) as refused:
        await store.delete(A)
    assert refused.value.code == "SnapshotsPresent"
    await store.delete(A, with_snapshots=True)
    with pytest.raises(BlobError) as refused:
        await store.open_snapshot(A, taken.snapshot)
    assert refused.value.code == "BlobNotFound"
    assert not list(root_of(store).glob(".snapshots/*/*/*/*"))


async def test_file_of_a_snapshot_that_was_never_acknowledged_is_removed_at_start(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await put(store, b"old")
        kept = await store.take_snapshot(A, {}, PLAIN)
        lost = await store.take_snapshot(A, {}, PLAIN)
        await store.snapshots.rows.forget(A, lost.snapshot)  # as if kill -9 came before its row
        root = root_of(store)
    async with open_store():
        assert [path.name for path in root.glob(".snapshots/*/*/*/*")] == [kept.snapshot]


async def test_deleting_a_container_takes_its_snapshots_along(store):
    await put(store, b"old")
    await store.take_snapshot(A, {}, PLAIN)
    await store.delete_container("mlstore", "files")
    await store.containers.create("mlstore", "files")
    await put(store, b"new")
    assert await store.snapshots.of(A) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_pages_hold_snapshots_before_their_blob_and_no_more_than_was_asked(store, limit):
    for name in ("a", "b", "d/x"):
        address = BlobAddress("mlstore", "files", name)
        await put(store, b"1", address)
        for _ in range(2):
            await store.take_snapshot(address, {}, PLAIN)
    found, marker = [], ""
    while True:
        query = Query(delimiter="/", marker=marker, limit=limit, snapshots=True)
        page = await store.list_blobs("mlstore", "files", query)
        assert len(page.blobs) + len(page.prefixes) <= limit
        found += [(blob.address.name, bool(blob.snapshot)) for blob in page.blobs]
        found += [(prefix, False) for prefix in page.prefixes]
        if not page.marker:
            break
        marker = page.marker
    expected = [(name, is_copy) for name in "ab" for is_copy in (True, True, False)]
    assert found == [*expected, ("d/", False)]


@pytest.mark.parametrize("name", ["", "x", "../../a", "2026-01-01T00:00:00.0000000Z"])
async def test_snapshot_is_found_by_its_exact_time_only(store, name):
    await put(store, b"old")
    with pytest.raises(BlobError) as refused:
        await store.open_snapshot(A, name)
    assert refused.value.code == "BlobNotFound"
