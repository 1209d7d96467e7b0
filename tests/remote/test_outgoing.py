"""What a job wrote is delivered, or kept and told: it is never lost."""

from __future__ import annotations

import asyncio

import pytest
from obstore.store import MemoryStore

from lazulite.blobs.errors import BlobError
from lazulite.blobs.leases import INFINITE, granted
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.objects import Objects
from lazulite.blobs.values import Expected
from lazulite.remote.outgoing import Outgoing
from tests.blobs.conftest import opened_store

LEASED = BlobAddress("mlstore", "files", "out/predictions.csv")
OTHER = BlobAddress("mlstore", "files", "out/other.csv")


@pytest.fixture
async def store(tmp_path):
    """With a blob that somebody has leased."""
    async with opened_store(tmp_path, objects=Objects(MemoryStore())) as store:
        await store.containers.create("mlstore", "files")

        async def body():
            yield b"old"

        await store.put(LEASED, body(), Expected(1 << 30))
        await store.leases.keep(LEASED, granted("a" * 36, INFINITE, store.clock()))
        yield store


@pytest.fixture
def outgoing(tmp_path, store):
    outgoing = Outgoing(tmp_path / "outgoing", store)
    for address in (LEASED, OTHER):
        path = outgoing.place("job", address)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"new " + address.name.encode())
    return outgoing


async def content(store, address):
    opened = await store.open(address)
    try:
        return b"".join([chunk async for chunk in opened.chunks(0, opened.blob.size)])
    finally:
        opened.close()


async def settled(outgoing):
    while not outgoing.is_delivered("job"):
        await asyncio.sleep(0.005)


async def test_what_is_refused_is_kept_and_told_and_the_rest_is_delivered(store, outgoing):
    await settled(outgoing)
    failure = outgoing.failure("job")
    assert failure is not None
    assert failure.code == "OutputNotDelivered"
    assert "out/predictions.csv" in failure.message
    assert "lease" in failure.message
    assert "outgoing/job" in failure.message
    assert outgoing.place("job", LEASED).read_bytes() == b"new out/predictions.csv"
    assert await content(store, LEASED) == b"old"
    assert await content(store, OTHER) == b"new out/other.csv"


async def test_after_a_restart_it_is_tried_again(store, outgoing, tmp_path):
    await settled(outgoing)
    await store.leases.drop(LEASED)
    again = Outgoing(tmp_path / "outgoing", store)
    await settled(again)
    assert again.failure("job") is None
    assert await content(store, LEASED) == b"new out/predictions.csv"
    assert not (tmp_path / "outgoing" / "job").exists()


async def test_what_was_refused_goes_when_it_is_dropped(outgoing, tmp_path):
    await settled(outgoing)
    await outgoing.drop("job")
    assert outgoing.failure("job") is None
    assert not (tmp_path / "outgoing" / "job").exists()


async def test_who_waits_for_the_delivery_is_told(outgoing):
    with pytest.raises(BlobError) as refused:
        await outgoing.deliver("job")
    assert refused.value.status == 412


class Stumbling:
    """A store that fails once."""

    def __init__(self, store):
        self.store, self.containers, self.failures = store, store.containers, 0

    async def put(self, *arguments):
        if not self.failures:
            self.failures += 1
            raise BlobError("ServerBusy")
        return await self.store.put(*arguments)


async def test_a_store_that_fails_is_tried_again(store, outgoing, tmp_path):
    await store.leases.drop(LEASED)
    stumbling = Stumbling(store)
    again = Outgoing(tmp_path / "outgoing", stumbling)
    await settled(again)
    assert (stumbling.failures, again.failure("job")) == (1, None)
    assert await content(store, LEASED) == b"new out/predictions.csv"
