"""Append blobs: what is acknowledged stays, and what was interrupted is as if never begun."""

from __future__ import annotations

import dataclasses
import os

import pytest

from lazulite.blobs.appending import AppendConditions, grown
from lazulite.blobs.details import APPEND_BLOB, Details
from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import Expected, Properties
from tests.blobs.files import path_of

LOG = BlobAddress("mlstore", "files", "logs/a.log")
APPENDED = Properties(content_type="text/plain", details=Details(kind=APPEND_BLOB))
ANYWHERE = AppendConditions()


async def content(*pieces):
    for piece in pieces:
        yield piece


async def text_of(store, address=LOG):
    opened = await store.open(address)
    try:
        return b"".join([chunk async for chunk in opened.chunks(0, opened.blob.size)])
    finally:
        opened.close()


async def append(store, data, wanted=ANYWHERE):
    return await store.append(LOG, content(data), Expected(100), wanted)


async def test_appends_stand_in_order_in_the_plain_file(store):
    made = await store.put(LOG, content(), Expected(0), APPENDED)
    first = await append(store, b"one;")
    second = await append(store, b"two;", AppendConditions(at=4, most=8))
    assert len({made.stamp.etag, first.stamp.etag, second.stamp.etag}) == 3
    assert await text_of(store) == path_of(store, LOG).read_bytes() == b"one;two;"
    found = await store.head(LOG)
    assert (found.properties.details.appended, found.properties.content_type) == (2, "text/plain")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (AppendConditions(at=0), "AppendPositionConditionNotMet"),
        (AppendConditions(most=4), "MaxBlobSizeConditionNotMet"),
    ],
)
async def test_append_that_misses_its_condition_changes_nothing(store, wanted, code):
    await store.put(LOG, content(), Expected(0), APPENDED)
    kept = await append(store, b"one;")
    with pytest.raises(BlobError) as refused:
        await append(store, b"two;", wanted)
    assert (refused.value.code, (await store.head(LOG)).stamp) == (code, kept.stamp)


@pytest.mark.parametrize("written", [b"", b"tw", b"two;"], ids=["none", "torn", "all"])
async def test_append_that_a_crash_interrupted_is_undone(open_store, written):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await store.put(LOG, content(), Expected(0), APPENDED)
        kept = await append(store, b"one;")
        after = grown(kept, 4, kept.stamp.mtime_ns + 1_000)
        await store._at.rows.announce(after, (), keep=kept.stamp)
        if written:
            with path_of(store, LOG).open("ab") as file:
                file.write(written)  # and here kill -9 strikes
    async with open_store() as store:
        assert await text_of(store) == b"one;"
        assert (await store.head(LOG)).properties.details.appended == 1
        await append(store, b"three;")
        assert await text_of(store) == b"one;three;"


async def test_append_that_was_complete_at_a_crash_stays(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await store.put(LOG, content(), Expected(0), APPENDED)
        kept = await append(store, b"one;")
        after = grown(kept, 4, kept.stamp.mtime_ns + 1_000)
        await store._at.rows.announce(after, (), keep=kept.stamp)
        with path_of(store, LOG).open("ab") as file:
            file.write(b"two;")
        os.utime(path_of(store, LOG), ns=(after.stamp.mtime_ns, after.stamp.mtime_ns))
    async with open_store() as store:
        assert (await text_of(store), (await store.head(LOG)).stamp) == (b"one;two;", after.stamp)


async def test_file_that_a_job_put_in_place_of_a_log_is_not_cut(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await store.put(LOG, content(), Expected(0), APPENDED)
        await append(store, b"one;")
        path_of(store, LOG).write_bytes(b"of a job, and longer")
    async with open_store() as store:
        assert await text_of(store) == b"of a job, and longer"


async def test_readers_see_the_version_before_while_an_append_is_under_way(store):
    await store.put(LOG, content(), Expected(0), APPENDED)
    kept = await append(store, b"one;")
    store._commits.appending[LOG] = kept.stamp
    with path_of(store, LOG).open("ab") as file:
        file.write(b"tw")
    found = await store.head(LOG)
    assert (found.stamp, found.properties.details.kind) == (kept.stamp, APPEND_BLOB)
    assert dataclasses.asdict(found.properties)["content_type"] == "text/plain"
    assert await text_of(store) == b"one;"
