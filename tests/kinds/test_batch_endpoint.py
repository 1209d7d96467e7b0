"""Batch endpoints: the default deployment, in the words of two generations."""

import pytest

OLD, NEW = "2021-03-01-preview", "2023-10-01"
PATH = "/batchEndpoints/scorer"


async def put(plane, properties, api=NEW):
    body = {"location": "local", "properties": properties}
    return await plane.call("PUT", PATH, body, api=api)


async def shown(plane, api=NEW):
    return (await plane.call("GET", PATH, api=api)).json()["properties"]


async def test_what_is_left_out_is_azures_default(plane):
    assert (await put(plane, {"authMode": "aadToken"})).status_code == 201
    properties = await shown(plane)
    assert properties["authMode"] == "AADToken"
    assert properties["defaults"] == {"deploymentName": None}
    assert properties["scoringUri"].endswith("/inference/scorer/jobs")
    assert properties["provisioningState"] == "Succeeded"
    assert "AzureAsyncOperationUri" in properties["properties"]
    assert (await shown(plane, OLD))["traffic"] == {}


async def test_all_traffic_makes_the_default_and_the_other_way(plane):
    await put(plane, {"authMode": "AADToken", "traffic": {"one": 0, "two": "100"}}, OLD)
    assert (await shown(plane))["defaults"] == {"deploymentName": "two"}
    await put(plane, {"authMode": "AADToken", "defaults": {"DeploymentName": "one"}})
    properties = await shown(plane, OLD)
    assert (properties["traffic"], "defaults" in properties) == ({"one": 100}, False)


@pytest.mark.parametrize("api", [OLD, NEW])
async def test_a_patch_changes_the_default(plane, api):
    await put(plane, {"description": "kept", "defaults": {"deploymentName": "one"}})
    change = {"traffic": {"one": 0, "two": 100}} if api == OLD else {
        "defaults": {"deploymentName": "two"}}  # fmt: skip
    answer = await plane.call("PATCH", PATH, {"properties": change}, api=api)
    assert answer.status_code in {200, 202}
    properties = await shown(plane)
    assert properties["defaults"] == {"deploymentName": "two"}
    assert properties["description"] == "kept"


@pytest.mark.parametrize("traffic", [{"one": 50, "two": 50}, {"one": 100, "two": 100}])
async def test_traffic_of_a_batch_endpoint_is_not_shared(plane, traffic):
    answer = await put(plane, {"traffic": traffic}, OLD)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"] == "traffic"


async def test_there_are_no_keys(plane):
    answer = await put(plane, {"authMode": "Key"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "AuthModeNotSupported")
    await put(plane, {})
    refused = await plane.call("POST", f"{PATH}/listkeys")
    assert refused.status_code == 400
    assert "https://ml.azure.com" in refused.json()["error"]["message"]
