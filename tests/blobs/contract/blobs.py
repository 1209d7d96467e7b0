"""Short words for what the tests of this folder do with a store."""

from __future__ import annotations

from lazulite.blobs.listing import Query
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import Expected

ANY = Expected(limit=1 << 30)


def at(name):
    return BlobAddress("mlstore", "files", name)


async def body(*pieces):
    for piece in pieces:
        yield piece


async def put(store, name, data, **options):
    return await store.put(at(name), body(data), ANY, **options)


async def read(opened, start=0, stop=None):
    try:
        stop = opened.blob.size if stop is None else stop
        return b"".join([chunk async for chunk in opened.chunks(start, stop)])
    finally:
        opened.close()


async def content(store, name):
    return await read(await store.open(at(name)))


async def listed(store, **query):
    return await store.list_blobs("mlstore", "files", Query(**query))


async def names(store, **query):
    return [blob.address.name for blob in (await listed(store, **query)).blobs]
