"""The blob store on a real folder and a real database."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from lazulite.blobs.assembly import Pick
from lazulite.blobs.conditions import Conditions
from lazulite.blobs.errors import BlobError
from lazulite.blobs.faults import Faults
from lazulite.blobs.listing import Query
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import Expected, Properties
from lazulite.store.database import blocking
from tests.blobs.files import folder_of, path_of, root_of

ANY = Expected(limit=1 << 30)


def at(name: str) -> BlobAddress:
    return BlobAddress("mlstore", "files", name)


async def body(*pieces: bytes):
    for piece in pieces:
        yield piece


async def content(store, name: str) -> bytes:
    opened = await store.open(at(name))
    try:
        return b"".join([chunk async for chunk in opened.chunks(0, opened.blob.size)])
    finally:
        opened.close()


async def put(store, name: str, data: bytes, **options):
    return await store.put(at(name), body(data), ANY, **options)


async def names(store, **query) -> list[str]:
    return [
        blob.address.name
        for blob in (await store.list_blobs("mlstore", "files", Query(**query))).blobs
    ]


async def test_blob_is_the_file_of_its_name(store):
    blob = await put(store, "a/b c/ü.bin", b"data", properties=Properties(content_type="x/y"))
    path = path_of(store, at("a/b c/ü.bin"))
    assert path.read_bytes() == b"data"
    assert path.parts[-5:] == ("mlstore", "files", "a", "b c", "ü.bin")
    assert await store.head(at("a/b c/ü.bin")) == blob
    assert blob.properties.md5 == hashlib.md5(b"data").digest()


async def test_properties_survive_a_restart(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files", {"made": "here"})
        before = await put(store, "a", b"1", properties=Properties(metadata={"k": "v"}))
    async with open_store() as store:
        assert await store.head(at("a")) == before
        assert (await store.containers.get("mlstore", "files")).metadata == {"made": "here"}


async def test_file_that_a_job_overwrote_has_default_properties(store):
    old = await put(store, "a", b"1", properties=Properties(content_type="x/y"))
    path_of(store, at("a")).write_bytes(b"22")
    seen = await store.head(at("a"))
    assert (seen.properties, seen.size) == (Properties(), 2)
    assert seen.stamp.etag != old.stamp.etag


async def test_announced_write_that_died_before_its_rename_leaves_the_old_blob_whole(store):
    old = await put(store, "a", b"old", properties=Properties(metadata={"k": "old"}))
    staged = (await store._at.staging.receive(body(b"new"), ANY))()
    new = type(old)(at("a"), staged.stamp, Properties(metadata={"k": "new"}))
    await store._at.rows.announce(new, (), keep=old.stamp)  # and here kill -9 strikes
    assert await store.head(at("a")) == old
    assert await content(store, "a") == b"old"


@pytest.mark.parametrize("name", ["../x", "a/../../x", ".", "a/./b", "a\\..\\b", "a\0b", "\udc80"])
@pytest.mark.parametrize("operation", ["put", "head", "delete"])
async def test_names_that_climb_are_refused_by_every_operation(store, name, operation):
    work = {
        "put": lambda: put(store, name, b""),
        "head": lambda: store.head(at(name)),
        "delete": lambda: store.delete(at(name)),
    }[operation]()
    with pytest.raises(BlobError) as refused:
        await work
    assert refused.value.status == 400


@pytest.mark.parametrize("name", ["", "x" * 1025, "a/" * 254 + "b"])
async def test_names_that_azure_does_not_take_are_refused_and_not_found(store, name):
    with pytest.raises(BlobError) as refused:
        await put(store, name, b"")
    assert (refused.value.code, refused.value.status) == ("InvalidResourceName", 400)
    with pytest.raises(BlobError) as missing:
        await store.head(at(name))
    assert missing.value.code == "BlobNotFound"


@pytest.mark.parametrize("container", ["..", ".staging", "Files", "a--b", "-ab", "ab", "x" * 64])
async def test_container_names_are_those_of_azure(store, container):
    with pytest.raises(BlobError) as refused:
        await store.containers.create("mlstore", container)
    assert refused.value.code == "InvalidResourceName"


async def test_symbolic_links_pipes_and_folders_are_no_blobs(store, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_bytes(b"key")
    folder = folder_of(store)
    (folder / "link").symlink_to(secret / "key")
    (folder / "away").symlink_to(secret)
    os.mkfifo(folder / "pipe")
    (folder / "empty").mkdir()
    for name in ("link", "away/key", "pipe", "empty", "away"):
        with pytest.raises(BlobError) as missing:
            await store.open(at(name))
        assert missing.value.code == "BlobNotFound"
    with pytest.raises(BlobError):
        await put(store, "away/key", b"mine")
    assert (secret / "key").read_bytes() == b"key"
    assert await names(store) == []
    await put(store, "link", b"mine")  # replaces the link, not what it points to
    assert (secret / "key").read_bytes() == b"key"
    assert await content(store, "link") == b"mine"


async def test_of_many_writers_that_want_a_new_blob_one_wins(store):
    only_new = Conditions(if_none_match="*")
    tries = [put(store, "a/b", bytes([n]) * 1000, conditions=only_new) for n in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    lost = [result for result in results if isinstance(result, BlobError)]
    assert len(lost) == 19
    assert {error.code for error in lost} == {"BlobAlreadyExists"}
    winner = next(n for n, result in enumerate(results) if not isinstance(result, BlobError))
    assert await content(store, "a/b") == bytes([winner]) * 1000


async def test_of_many_writers_with_one_etag_one_wins(store):
    etag = (await put(store, "a", b"0")).stamp.etag
    condition = Conditions(if_match=etag)
    tries = [put(store, "a", bytes([n]), conditions=condition) for n in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(result, BlobError) for result in results) == 1


async def test_time_conditions_count_in_whole_seconds(store):
    blob = await put(store, "a", b"")
    same, earlier = blob.stamp.modified, blob.stamp.modified - timedelta(seconds=1)
    await store.head(at("a"), Conditions(if_unmodified_since=same))
    await store.head(at("a"), Conditions(if_modified_since=earlier))
    with pytest.raises(BlobError) as not_modified:
        await store.head(at("a"), Conditions(if_modified_since=same))
    assert not_modified.value.status == 304
    with pytest.raises(BlobError) as changed:
        await store.head(at("a"), Conditions(if_unmodified_since=earlier))
    assert changed.value.status == 412


async def test_deleting_and_writing_in_one_folder_at_once_loses_no_write(store):
    async def churn(name: str) -> None:
        for _ in range(30):
            await put(store, name, b"x")
            await store.delete(at(name))
        await put(store, name, b"last")

    await asyncio.gather(*(churn(f"deep/er/{n}") for n in range(4)))
    assert await names(store) == [f"deep/er/{n}" for n in range(4)]


async def test_deleting_the_last_blob_removes_its_folders_but_not_the_container(store):
    await put(store, "a/b/c", b"")
    await put(store, "a/d", b"")
    await store.delete(at("a/b/c"))
    folder = folder_of(store)
    assert sorted(path.name for path in folder.rglob("*")) == ["a", "d"]
    await store.delete(at("a/d"))
    assert list(folder.iterdir()) == []
    with pytest.raises(BlobError) as missing:
        await store.delete(at("a/d"))
    assert missing.value.code == "BlobNotFound"


async def test_changing_metadata_gives_a_new_etag_and_keeps_bytes_and_blocks(store):
    await store.put_block(at("a"), b"1", body(b"data"), ANY)
    before = await store.put_block_list(at("a"), [(Pick.LATEST, b"1")])
    after = await store.update(at("a"), lambda said: Properties(metadata={"k": "v"}))
    assert after.stamp.etag != before.stamp.etag
    assert (await store.head(at("a"))).properties.metadata == {"k": "v"}
    assert await content(store, "a") == b"data"
    assert [block.id for block in (await store.block_list(at("a"))).committed] == [b"1"]


@pytest.mark.parametrize(
    ("expected", "code"),
    [
        (Expected(limit=100, length=5), "InvalidInput"),
        (Expected(limit=100, md5=b"x" * 16), "Md5Mismatch"),
        (Expected(limit=100, crc64=b"x" * 8), "Crc64Mismatch"),
        (Expected(limit=3), "RequestBodyTooLarge"),
    ],
)
async def test_body_that_is_not_as_expected_leaves_nothing(store, expected, code):
    with pytest.raises(BlobError) as refused:
        await store.put(at("a"), body(b"1234"), expected)
    assert refused.value.code == code
    with pytest.raises(BlobError):
        await store.put_block(at("a"), b"1", body(b"1234"), expected)
    assert await names(store) == []
    assert list((root_of(store) / ".staging").iterdir()) == []


async def test_sender_that_goes_away_leaves_nothing(store):
    async def cut():
        yield b"x" * (3 << 20)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put(at("a"), cut(), ANY)
    assert list((root_of(store) / ".staging").iterdir()) == []


async def test_right_checksums_are_accepted(store):
    crc64 = base64.b64decode("iJh5CoYUi64=")  # of "123456789", the check value of CRC-64/NVME
    await store.put(at("a"), body(b"1234", b"56789"), Expected(limit=100, crc64=crc64))
    assert await content(store, "a") == b"123456789"


async def test_block_list_may_mix_new_and_committed_blocks_and_repeat_them(store):
    for name in (b"1", b"2"):
        await store.put_block(at("a"), name, body(name * 3), ANY)
    await store.put_block_list(at("a"), [(Pick.LATEST, b"1"), (Pick.LATEST, b"2")])
    await store.put_block(at("a"), b"2", body(b"new"), ANY)
    picks = [(Pick.UNCOMMITTED, b"2"), (Pick.COMMITTED, b"2"), (Pick.COMMITTED, b"1")] * 2
    await store.put_block_list(at("a"), picks)
    assert await content(store, "a") == b"new222111" * 2


async def test_same_commit_twice_at_once_gives_the_same_blob(store):
    for n in range(10):
        await store.put_block(at("a"), bytes([n]), body(bytes([n]) * 100), ANY)
    picks = [(Pick.LATEST, bytes([n])) for n in range(10)]
    await asyncio.gather(*(store.put_block_list(at("a"), picks) for _ in range(4)))
    assert await content(store, "a") == b"".join(bytes([n]) * 100 for n in range(10))


async def test_missing_block_fails_the_commit_and_keeps_the_blocks(store):
    await store.put_block(at("a"), b"1", body(b"x"), ANY)
    with pytest.raises(BlobError) as refused:
        await store.put_block_list(at("a"), [(Pick.LATEST, b"1"), (Pick.LATEST, b"2")])
    assert refused.value.code == "InvalidBlockList"
    with pytest.raises(BlobError):
        await store.put_block(at("a"), b"longer", body(b"x"), ANY)
    found = await store.block_list(at("a"))
    assert ([block.id for block in found.uncommitted], found.blob) == ([b"1"], None)


async def test_blocks_that_nobody_committed_expire_after_a_week(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await store.put_block(at("a"), b"1", body(b"x"), ANY)
    for days, left in ((6, 1), (8, 0)):
        later = datetime.now(UTC) + timedelta(days=days)
        async with open_store(lambda later=later: later) as store:
            assert len(store._at.blocks.listed(at("a"))) == left


async def test_staged_leftovers_are_gone_after_a_start(open_store):
    async with open_store() as store:
        (await store._at.staging.receive(body(b"x"), ANY))()
        (store._at.staging.folder / "grave").mkdir()
    async with open_store() as store:
        assert list(store._at.staging.folder.iterdir()) == []


async def test_reader_keeps_its_version_while_the_blob_is_replaced_and_deleted(store):
    await put(store, "a", b"old" * 1000)
    opened = await store.open(at("a"))
    await put(store, "a", b"new")
    await store.delete(at("a"))
    assert b"".join([chunk async for chunk in opened.chunks(0, 3000)]) == b"old" * 1000
    opened.close()


async def test_deleted_container_takes_its_blobs_blocks_and_rows_along(store):
    await put(store, "a", b"1", properties=Properties(metadata={"k": "v"}))
    await store.put_block(at("b"), b"1", body(b"x"), ANY)
    await store.containers.delete("mlstore", "files")
    for work in (put(store, "a", b""), store.head(at("a")), names(store)):
        with pytest.raises(BlobError) as missing:
            await work
        assert missing.value.code == "ContainerNotFound"
    await store.containers.create("mlstore", "files")
    assert await names(store) == []
    assert store._at.blocks.listed(at("b")) == ()


async def test_cancelled_caller_does_not_cut_a_commit_in_two(store):
    task = asyncio.create_task(put(store, "a", b"x", properties=Properties(metadata={"k": "v"})))
    while not store._committing and not task.done():
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()
    assert (await store.head(at("a"))).properties.metadata == {"k": "v"}
    assert list(store._at.staging.folder.iterdir()) == []


async def test_file_cut_short_by_a_job_ends_the_download_with_an_error(store):
    await put(store, "a", b"x" * 1_000_000)
    opened = await store.open(at("a"))
    os.truncate(path_of(store, at("a")), 10)
    with pytest.raises(EOFError):
        _ = [chunk async for chunk in opened.chunks(0, 1_000_000)]
    opened.close()


@pytest.mark.parametrize("span", [(0, 4), (1, 3), (3, 4), (4, 4)])
async def test_small_blob_is_read_in_parts_as_a_large_one(store, span):
    await put(store, "a", b"abcd")
    opened = await store.open(at("a"))
    assert b"".join([chunk async for chunk in opened.chunks(*span)]) == b"abcd"[slice(*span)]
    opened.close()


def test_after_an_io_error_nothing_more_is_written():
    faults = Faults()
    with pytest.raises(OSError, match="Input/output"), faults.watched():
        raise OSError(errno.EIO, "Input/output error")
    with pytest.raises(BlobError) as refused, faults.watched():
        pytest.fail("this write must not begin")
    assert refused.value.status == 500
    assert faults.broken is not None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_disk_is_507_and_does_not_end_writing(number):
    faults = Faults()
    with pytest.raises(BlobError) as refused, faults.watched():
        raise OSError(number, "full")
    assert (refused.value.code, refused.value.status) == ("InsufficientStorage", 507)
    assert faults.broken is None


async def test_folder_copied_elsewhere_with_its_times_keeps_its_properties(open_store, tmp_path):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        await put(store, "a", b"1", properties=Properties(metadata={"k": "v"}))
    shutil.copytree(tmp_path / "blobs", tmp_path / "copy")
    shutil.rmtree(tmp_path / "blobs")
    (tmp_path / "copy").rename(tmp_path / "blobs")
    async with open_store() as store:
        assert (await store.head(at("a"))).properties.metadata == {"k": "v"}


async def test_full_database_is_507_and_the_old_blob_stays(store):
    old = await put(store, "a", b"old")
    engine = store._at.rows.engine
    with blocking(engine).connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    large = Properties(metadata={"k": "v" * 100_000})
    with pytest.raises(BlobError) as refused:
        await put(store, "a", b"new", properties=large)
    assert refused.value.status == 507
    assert await store.head(at("a")) == old
    assert list(store._at.staging.folder.iterdir()) == []
