"""Curated environments over HTTP: there from the start, and read only."""

import pytest

from lazulite.environments.curated import CURATED

NAME = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"


async def test_a_workspace_lists_curated_environments_as_azure_does(plane):
    listed = (await plane.call("GET", "/environments", api="2022-05-01")).json()["value"]

    assert {item["name"] for item in listed} == set(CURATED)
    assert {item["properties"]["latestVersion"] for item in listed} == {"1"}


async def test_a_curated_environment_shows_its_packages(plane):
    shown = (await plane.call("GET", f"/environments/{NAME}/versions/1", api="2022-05-01")).json()

    assert shown["properties"]["environmentType"] == "Curated"
    assert "scikit-learn==1.0.*" in shown["properties"]["condaFile"]


async def test_it_shows_in_the_first_api_version_too(plane):
    path = f"/environments/{NAME}/versions/1"
    shown = (await plane.call("GET", path, api="2021-03-01-preview")).json()["properties"]

    assert shown["environmentSpecificationType"] == "Curated"


@pytest.mark.parametrize("path", [f"/environments/{NAME}/versions/2", "/environments/azureml-x"])
async def test_nobody_registers_a_curated_name(plane, path):
    answer = await plane.put(path, {"condaFile": "dependencies: []"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ReservedEnvironmentName")
    assert "another name" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", [f"/environments/{NAME}", f"/environments/{NAME}/versions/1"])
async def test_nobody_changes_or_deletes_one(plane, path):
    archived = await plane.call("PATCH", path, {"properties": {"isArchived": True}})
    deleted = await plane.call("DELETE", path)

    assert (archived.status_code, deleted.status_code) == (400, 400)
    assert (await plane.call("GET", path)).status_code == 200


async def test_every_workspace_gets_them(plane):
    path = plane.workspace.rpartition("/")[0] + "/second"
    body = {"location": "local", "properties": {}}
    await plane.call("PUT", path, body, api="2021-10-01")
    await plane.settle_kinds("/workspaces")

    listed = (await plane.call("GET", f"{path}/environments")).json()["value"]
    assert len(listed) == len(CURATED)
