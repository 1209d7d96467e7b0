"""What every back end does with one blob."""

import asyncio
import dataclasses
import hashlib
import os

import pytest

from lazulite.blobs.appending import AppendConditions
from lazulite.blobs.assembly import Pick
from lazulite.blobs.conditions import Conditions
from lazulite.blobs.details import APPEND_BLOB, Details
from lazulite.blobs.errors import BlobError
from lazulite.blobs.values import Expected, Properties
from tests.blobs.contract.blobs import ANY, at, body, content, listed, names, put, read

SAID = Properties(content_type="text/plain", metadata={"a": "ü"})
AWKWARD = ["a b", "a#b", "a%20b", "a+b", "a?b=c&d", "ü/é~", "x'\"y", "[x]", "{x}", "^|<>*"]


def with_tags(said, tags):
    return dataclasses.replace(said, details=dataclasses.replace(said.details, tags=tags))


async def test_a_blob_is_what_was_put(store, kept):
    blob = await put(store, "a/b.csv", b"some text", properties=SAID)
    assert await store.head(at("a/b.csv")) == blob
    assert (await listed(store)).blobs == (blob,)
    assert await content(store, "a/b.csv") == b"some text"
    assert await read(await store.open(at("a/b.csv")), 5, 8) == b"tex"
    assert blob.properties.metadata == {"a": "ü"}
    assert kept.outside.read("mlstore/files/a/b.csv") == b"some text"


async def test_all_is_there_after_a_restart(kept):
    async with kept.open() as store:
        await store.containers.create("mlstore", "files", {"of": "a container"})
        blob = await put(store, "a", b"1", properties=SAID)
    async with kept.open() as store:
        assert (await store.containers.get("mlstore", "files")).metadata == {"of": "a container"}
        assert await store.head(at("a")) == blob
        assert (await listed(store)).blobs == (blob,)


async def test_an_empty_blob(store):
    await put(store, "empty", b"")
    assert await content(store, "empty") == b""
    assert (await listed(store)).blobs[0].size == 0


async def test_names_are_kept_letter_by_letter(store, kept):
    for name in AWKWARD:
        await put(store, name, b"1")
        assert await content(store, name) == kept.outside.read(f"mlstore/files/{name}") == b"1"
    assert await names(store) == sorted(AWKWARD)
    for name in AWKWARD:
        await store.delete(at(name))
    assert await names(store) == []


@pytest.mark.parametrize("name", ["a//b", "a/", "x" * 1025, "é" * 600])
async def test_a_name_that_cannot_be_kept_is_refused_and_not_found(store, kept, name):
    if kept.outside.objects is None and name != "x" * 1025:
        pytest.skip("files aside keep it: tests/blobs/test_names.py")
    with pytest.raises(BlobError) as refused:
        await put(store, name, b"1")
    assert refused.value.status == 400
    with pytest.raises(BlobError) as missing:
        await store.head(at(name))
    assert missing.value.code == "BlobNotFound"


async def test_the_same_bytes_again_are_a_new_version_with_its_own_properties(store):
    first = await put(store, "a", b"1", properties=SAID)
    second = await put(store, "a", b"1", properties=Properties(metadata={"b": "2"}))
    assert second.stamp.etag != first.stamp.etag
    assert (await listed(store)).blobs == (second,) == (await store.head(at("a")),)


async def test_a_large_blob_arrives_whole(store):
    data = os.urandom(21 << 20)
    expected = Expected(1 << 30, len(data), hashlib.md5(data).digest())
    await store.put(at("large"), body(data[: 9 << 20], data[9 << 20 :]), expected)
    assert await content(store, "large") == data
    opened = await store.open(at("large"))
    assert await read(opened, 8 << 20, 18 << 20) == data[8 << 20 : 18 << 20]


async def test_conditions_are_held(store):
    old = (await put(store, "a", b"1")).stamp.etag
    new = (await put(store, "a", b"2", conditions=Conditions(if_match=old))).stamp.etag
    for conditions, code in (
        (Conditions(if_match=old), "ConditionNotMet"),
        (Conditions(if_none_match=new), "ConditionNotMet"),
        (Conditions(if_none_match="*"), "BlobAlreadyExists"),
    ):
        with pytest.raises(BlobError) as refused:
            await put(store, "a", b"3", conditions=conditions)
        assert refused.value.code == code
    assert await content(store, "a") == b"2"


async def test_of_writers_with_one_etag_one_wins(store):
    etag = (await put(store, "a", b"0")).stamp.etag
    wanted = Conditions(if_match=etag)
    done = await asyncio.gather(
        *(put(store, "a", b"%d" % n, conditions=wanted) for n in range(5)), return_exceptions=True
    )
    (winner,) = [one for one in done if not isinstance(one, BlobError)]
    assert await store.head(at("a")) == winner


async def test_a_reader_sees_its_version_or_an_error_and_no_mixture(store):
    old, new = b"old" * 500_000, b"new" * 500_000
    await put(store, "a", old)
    opened = await store.open(at("a"))
    await put(store, "a", new)
    try:
        assert await read(opened) == old
    except EOFError:
        assert await content(store, "a") == new


async def test_metadata_change_the_version_and_not_the_bytes(store):
    old = await put(store, "a", b"1", properties=SAID)
    change = lambda said: dataclasses.replace(said, metadata={"b": "2"})  # noqa: E731
    new = await store.update(at("a"), change, Conditions(if_match=old.stamp.etag))
    assert new.stamp.etag != old.stamp.etag
    assert (await listed(store)).blobs == (new,) == (await store.head(at("a")),)
    assert await content(store, "a") == b"1"
    with pytest.raises(BlobError):
        await store.update(at("a"), change, Conditions(if_match=old.stamp.etag))


async def test_tags_do_not_change_the_version(store):
    old = await put(store, "a", b"1", properties=SAID)
    await store.amend(at("a"), lambda said: with_tags(said, {"x": "y"}))
    (found,) = (await listed(store)).blobs
    assert (found.stamp, found.properties.details.tags) == (old.stamp, {"x": "y"})
    assert await store.tagged("mlstore") == [found]


async def test_blocks_are_put_together_in_the_order_of_the_list(store):
    for name, data in (b"1", b"one,"), (b"2", b"two,"), (b"3", b"three,"):
        await store.put_block(at("a"), name, body(data), ANY)
    assert [block.id for block in (await store.block_list(at("a"))).uncommitted] == [
        b"1",
        b"2",
        b"3",
    ]
    latest = [(Pick.LATEST, name) for name in (b"3", b"1")]
    await store.put_block_list(at("a"), latest, SAID)
    assert await content(store, "a") == b"three,one,"
    await store.put_block(at("a"), b"4", body(b"four"), ANY)
    picks = [(Pick.COMMITTED, b"1"), (Pick.UNCOMMITTED, b"4"), (Pick.COMMITTED, b"3")]
    blob = await store.put_block_list(at("a"), picks)
    assert await content(store, "a") == b"one,fourthree,"
    assert [block.size for block in (await store.block_list(at("a"))).committed] == [4, 4, 6]
    assert (await listed(store)).blobs == (blob,)


async def test_appends_are_at_the_end_and_stay(store, kept):
    log = Properties(details=Details(kind=APPEND_BLOB))
    await put(store, "log", b"", properties=log)
    for line in b"one;", b"two;":
        last = await store.append(at("log"), body(line), ANY, AppendConditions())
    with pytest.raises(BlobError) as refused:
        await store.append(at("log"), body(b"x"), ANY, AppendConditions(at=4))
    assert refused.value.code == "AppendPositionConditionNotMet"
    assert await content(store, "log") == b"one;two;" == kept.outside.read("mlstore/files/log")
    assert (await store.head(at("log"))) == last == (await listed(store)).blobs[0]


async def test_a_deleted_blob_is_gone(store, kept):
    await put(store, "a/b", b"1")
    await store.delete(at("a/b"))
    with pytest.raises(BlobError) as missing:
        await store.head(at("a/b"))
    assert missing.value.code == "BlobNotFound"
    assert await names(store) == []
    assert "mlstore/files/a/b" not in kept.outside.names()
    with pytest.raises(BlobError):
        await store.delete(at("a/b"))


async def test_a_snapshot_keeps_what_was_there(store):
    await put(store, "a", b"old", properties=SAID)
    taken = await store.take_snapshot(at("a"), {}, Conditions())
    await put(store, "a", b"new")
    opened = await store.open_snapshot(at("a"), taken.snapshot)
    assert opened.blob.properties.metadata == {"a": "ü"}
    assert await read(opened) == b"old"
    both = (await listed(store, snapshots=True)).blobs
    assert [one.snapshot for one in both] == [taken.snapshot, ""]
    with pytest.raises(BlobError):
        await store.delete(at("a"))
    await store.delete(at("a"), with_snapshots=True)
    with pytest.raises(BlobError):
        await store.open_snapshot(at("a"), taken.snapshot)


async def test_a_snapshot_is_there_after_a_restart(kept):
    async with kept.open() as store:
        await store.containers.create("mlstore", "files")
        await put(store, "a", b"1")
        taken = await store.take_snapshot(at("a"), {"of": "it"}, Conditions())
    async with kept.open() as store:
        assert await read(await store.open_snapshot(at("a"), taken.snapshot)) == b"1"
        await store.delete_snapshots(at("a"), taken.snapshot)
    assert not [name for name in kept.outside.names() if "snapshots" in name]
