"""Data and datasets: two views of one row."""

import pytest

A, B, C, D = "2021-03-01-preview", "2021-10-01", "2022-05-01", "2023-10-01"
FOLDER = "azureml://datastores/workspaceblobstore/paths/images/"
FILE = "azureml://datastores/workspaceblobstore/paths/images/one.png"
COMMON = {"description": "d", "tags": {"a": "b"}, "isArchived": False, "isAnonymous": False}


async def put(plane, path, properties, api):
    return await plane.call("PUT", path, {"properties": properties}, api=api)


async def shown(plane, path, api):
    answer = await plane.call("GET", path, api=api)
    assert answer.status_code == 200, answer.text
    return answer.json()["properties"]


@pytest.mark.parametrize("api", [B, C])
@pytest.mark.parametrize(
    ("paths", "uri", "data_type"),
    [([{"folder": FOLDER}], FOLDER, "uri_folder"), ([{"File": FILE}], FILE, "uri_file")],
)
async def test_a_dataset_reads_as_data(plane, api, paths, uri, data_type):
    answer = await put(plane, "/datasets/d/versions/1", {**COMMON, "paths": paths}, api)
    assert answer.status_code == 201
    assert answer.json()["id"].endswith("/workspaces/main/datasets/d/versions/1")
    assert answer.json()["type"].endswith("/workspaces/datasets/versions")
    found = await shown(plane, "/data/d/versions/1", D)
    assert (found["dataUri"], found["dataType"], found["tags"]) == (uri, data_type, {"a": "b"})
    assert "paths" not in found
    assert (await shown(plane, "/data/d", D))["dataType"] == data_type


@pytest.mark.parametrize(
    ("api", "data_type", "stored", "paths"),
    [
        (D, "uri_folder", "uri_folder", [{"file": None, "folder": FOLDER}]),
        (C, "MLTable", "mltable", [{"file": None, "folder": FOLDER}]),
        ("2022-02-01-preview", "UriFile", "uri_file", [{"file": FOLDER, "folder": None}]),
    ],
)
async def test_data_read_as_a_dataset_and_back(plane, api, data_type, stored, paths):
    given = {"dataUri": FOLDER, "dataType": data_type, "referencedUris": ["./a.csv"]}
    assert (await put(plane, "/data/d/versions/1", given, api)).status_code == 201
    found = await shown(plane, "/datasets/d/versions/1", B)
    assert (found["paths"], "dataUri" in found) == (paths, False)
    again = await put(plane, "/datasets/d/versions/1", {**found, "description": "new"}, B)
    assert again.status_code == 200
    kept = await shown(plane, "/data/d/versions/1", D)
    assert (kept["dataType"], kept["description"]) == (stored, "new")
    assert kept["referencedUris"] == ["./a.csv"]


async def test_2022_02_spells_types_its_own_way(plane):
    await put(plane, "/data/d/versions/1", {"dataUri": FILE, "dataType": "uri_file"}, D)
    path = "/data/d/versions/1"
    assert (await shown(plane, path, "2022-02-01-preview"))["dataType"] == "UriFile"
    assert (await shown(plane, "/data/d", "2022-02-01-preview"))["dataType"] == "UriFile"
    assert (await shown(plane, path, C))["dataType"] == "uri_file"


async def test_all_paths_of_a_dataset_are_kept(plane):
    paths = [{"file": FILE, "folder": None}, {"file": None, "folder": FOLDER}]
    await put(plane, "/datasets/d/versions/1", {"paths": paths}, B)
    found = await shown(plane, "/data/d/versions/1", D)
    assert found["dataUri"] == FILE
    assert (await put(plane, "/data/d/versions/1", found, D)).status_code == 200
    assert (await shown(plane, "/datasets/d/versions/1", B))["paths"] == paths


async def test_data_of_2021_03_are_a_datastore_and_a_path(plane):
    store = f"{plane.workspace}/datastores/workspaceblobstore"
    given = {"datastoreId": store, "path": "images/one.png", "datasetType": "dataflow"}
    made = (await put(plane, "/data/d/versions/1", given, A)).json()["properties"]
    assert (made["path"], made["datasetType"]) == ("images/one.png", "Dataflow")
    new = await shown(plane, "/data/d/versions/1", D)
    assert (new["dataType"], new["dataUri"].endswith("/paths/images/one.png")) == ("uri_file", True)
    assert not {"datasetType", "path", "datastoreId"} & set(new)


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (None, "give paths"),
        ([], "at least 1 item"),
        ([{}], "either a file or a folder"),
        ([{"file": FILE, "folder": FOLDER}], "either a file or a folder"),
    ],
)
async def test_a_dataset_needs_paths(plane, paths, said):
    given = {} if paths is None else {"paths": paths}
    answer = await put(plane, "/datasets/d/versions/1", given, B)
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (400, True)


async def test_lists_and_deletes_are_of_the_same_rows(plane):
    await put(plane, "/datasets/d/versions/1", {"paths": [{"file": FILE}]}, B)
    await put(plane, "/data/e/versions/1", {"dataUri": FILE, "dataType": "uri_file"}, C)
    listed = (await plane.call("GET", "/datasets", api=B)).json()["value"]
    assert [item["id"].rpartition("/main/")[2] for item in listed] == ["datasets/d", "datasets/e"]
    assert (await plane.call("DELETE", "/datasets/d", api=B)).status_code == 200
    assert (await plane.call("GET", "/data/d/versions/1", api=D)).status_code == 404


async def test_what_data_are_cannot_change_in_either_view(plane):
    await put(plane, "/datasets/d/versions/1", {"paths": [{"file": FILE}]}, B)
    other = await put(plane, "/datasets/d/versions/1", {"paths": [{"file": FOLDER}]}, B)
    assert other.status_code == 409
    changed = {"dataUri": FILE, "dataType": "uri_folder"}
    assert (await put(plane, "/data/d/versions/1", changed, D)).status_code == 409
