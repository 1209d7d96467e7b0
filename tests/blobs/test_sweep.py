"""Rows that a crash left without their file."""

from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import Blob, Expected, Properties, Stamp
from tests.blobs.files import path_of

PLAIN = Expected(limit=1000)


async def body(data):
    yield data


async def counted(store):
    found = await store._at.rows.versions(("", 0, 0), 100)
    return [(address.name, stamp.size) for address, stamp in found]


async def test_a_start_removes_rows_of_what_never_came_and_of_what_is_gone(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        kept, half, gone = (BlobAddress("mlstore", "files", name) for name in ("k", "h", "g/one"))
        blob = await store.put(kept, body(b"kept"), PLAIN)
        await store.put(gone, body(b"gone"), PLAIN)
        path_of(store, gone).unlink()  # kill -9 between the file's end and its row's
        new = Blob(half, Stamp(4, 1), Properties())
        await store._at.rows.announce(new, (), keep=None)  # and before the file's rename
        newer = Blob(kept, Stamp(9, 1), Properties())
        await store._at.rows.announce(newer, (), keep=blob.stamp)
        assert len(await counted(store)) == 4
    async with open_store() as store:
        await store._sweeping
        assert await counted(store) == [("k", 4)]
        assert (await store.head(kept)).properties.md5 is not None


async def test_what_is_written_during_a_sweep_keeps_its_row(open_store):
    async with open_store() as store:
        await store.containers.create("mlstore", "files")
        for number in range(20):
            address = BlobAddress("mlstore", "files", f"{number:02}")
            await store.put(address, body(b"x" * number), PLAIN)
        await store._sweeping
    async with open_store() as store:
        for number in range(20):
            address = BlobAddress("mlstore", "files", f"{number:02}")
            await store.put(address, body(b"y" * (number + 1)), PLAIN)
        await store._sweeping
        assert {(f"{n:02}", n + 1) for n in range(20)} <= set(await counted(store))
