"""Empty objects that other tools take for folders: keys with a slash at the end."""

import httpx2
import pytest

from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query
from lazulite.blobs.objects import open_objects
from tests.blobs.conftest import opened_store

pytestmark = pytest.mark.slow


@pytest.fixture
def put_key(moto, s3):
    bucket = s3.removeprefix("s3://").partition("/")[0]

    def put(key):
        httpx2.put(f"{moto}/{bucket}/some/prefix/{key}", content=b"").raise_for_status()

    return put


async def test_marks_of_folders_are_not_seen(tmp_path, s3, put_key):
    for key in ("", "a/", "a/b", "a-c", "empty/"):
        put_key(f"mlstore/files/{key}")
    async with opened_store(tmp_path, objects=open_objects(s3)) as store:
        for query, names, prefixes in (
            (Query(), ["a-c", "a/b"], ()),
            (Query(delimiter="/"), ["a-c"], ("a/",)),
            (Query(prefix="a/"), ["a/b"], ()),
        ):
            page = await store.list_blobs("mlstore", "files", query)
            assert [one.address.name for one in page.blobs] == names
            assert page.prefixes == prefixes


async def test_a_key_that_is_no_name_is_told(tmp_path, s3, put_key):
    for key in ("mlstore/files/a", "mlstore/files/b//c"):
        put_key(key)
    async with opened_store(tmp_path, objects=open_objects(s3)) as store:
        with pytest.raises(BlobError) as told:
            await store.list_blobs("mlstore", "files", Query())
        assert "b//c" in str(told.value)
        assert (await store.containers.all("mlstore"))[0].name == "files"
