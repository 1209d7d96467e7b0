"""Where a server keeps its blobs, and that it stays so."""

import json

import pytest

from lazulite.app.blob_place import check_place
from lazulite.app.layout import Layout
from lazulite.blobs.listing import Query
from lazulite.core.settings import SettingError, read_settings
from tests.app.conftest import in_process
from tests.dataplane.test_execution import definition, zipped


@pytest.fixture
def layout(tmp_path):
    layout = Layout(tmp_path / "data", tmp_path / "run")
    layout.make()
    return layout


@pytest.mark.parametrize("first", ["", "s3://bucket/prefix", "memory://"])
def test_the_place_of_the_first_start_is_the_place(layout, first):
    check_place(layout, first)
    check_place(layout, first)
    with pytest.raises(SettingError) as refused:
        check_place(layout, "gs://other")
    assert (f"--blobs {first}" if first else "without --blobs") in str(refused.value)


def test_a_data_folder_of_an_older_version_has_files(layout):
    layout.database.touch()
    check_place(layout, "")
    with pytest.raises(SettingError):
        check_place(layout, "s3://bucket")


async def test_the_zip_of_a_run_becomes_blobs(tmp_path, keys):
    settings = read_settings({}, data_dir=tmp_path / "data", blobs="memory://")
    async with in_process(tmp_path, keys, settings=settings) as plane:
        await plane.put("/computes/cpu", {"computeType": "AmlCompute", "properties": {}})
        files = {"projectZipFile": zipped(), "runDefinitionFile": json.dumps(definition())}
        answer = await plane.client.post(
            f"/execution/v1.0{plane.workspace}/experiments/e/startrun",
            files=files,
            headers={"authorization": f"Bearer {plane.bearer}"},
        )
        assert answer.status_code == 200, answer.text
        workspace = (await plane.call("GET", "")).json()["properties"]
        account = workspace["storageAccount"].rpartition("/")[2]
        page = await plane.server.store.list_blobs(account, "azureml-blobstore", Query())
        assert [one.address.name.rpartition("/")[2] for one in page.blobs] == ["hello.py"]
        assert page.blobs[0].address.name.startswith("snapshots/")
