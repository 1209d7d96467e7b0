"""Batch deployments: every property, in the words of two generations."""

import pytest

OLD, NEW = "2021-03-01-preview", "2023-10-01"
PATH = "/batchEndpoints/scorer/deployments/one"
MODEL = {"referenceType": "Id", "assetId": "azureml:iris:1"}


@pytest.fixture
async def endpoint(plane):
    await plane.put("/batchEndpoints/scorer", {})
    return plane


async def put(plane, properties, api=NEW):
    body = {"location": "local", "properties": properties}
    return await plane.call("PUT", PATH, body, api=api)


async def shown(plane, api=NEW):
    return (await plane.call("GET", PATH, api=api)).json()["properties"]


async def test_what_is_left_out_is_azures_default(endpoint):
    assert (await put(endpoint, {"compute": "azureml:cpu"})).status_code == 201
    properties = await shown(endpoint)
    assert properties["miniBatchSize"] == 10
    assert properties["maxConcurrencyPerInstance"] == 1
    assert properties["errorThreshold"] == -1
    assert properties["retrySettings"] == {"maxRetries": 3, "timeout": "PT30S"}
    assert properties["resources"]["instanceCount"] == 1
    assert (properties["outputAction"], properties["loggingLevel"]) == ("AppendRow", "Info")
    assert properties["outputFileName"] == "predictions.csv"


async def test_the_form_of_march_2021(endpoint):
    old = {
        "model": MODEL,
        "compute": {"target": "azureml:cpu", "instanceCount": "2", "isLocal": False},
        "outputConfiguration": {"outputAction": "summaryonly", "appendRowFileName": "rows.csv"},
        "miniBatchSize": "5",
        "errorThreshold": "10",
        "partitionKeys": [],
    }
    assert (await put(endpoint, old, OLD)).status_code == 201
    new = await shown(endpoint)
    assert (new["compute"], new["resources"]["instanceCount"]) == ("azureml:cpu", 2)
    assert (new["outputAction"], new["outputFileName"]) == ("SummaryOnly", "rows.csv")
    assert (new["miniBatchSize"], new["errorThreshold"]) == (5, 10)
    shown_old = await shown(endpoint, OLD)
    assert shown_old["compute"]["target"] == "azureml:cpu"
    assert shown_old["outputConfiguration"] == {
        "outputAction": "SummaryOnly",
        "appendRowFileName": "rows.csv",
    }
    assert (shown_old["partitionKeys"], "partitionKeys" in new) == ([], False)
    assert not {"resources", "outputFileName", "maxConcurrencyPerInstance"} & set(shown_old)


async def test_an_old_write_keeps_what_it_cannot_say(endpoint):
    await put(endpoint, {"compute": "azureml:cpu", "maxConcurrencyPerInstance": 4})
    await put(endpoint, {"compute": {"target": "azureml:cpu"}}, OLD)
    assert (await shown(endpoint))["maxConcurrencyPerInstance"] == 4


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        ("azureml:iris:1", MODEL),
        ({"AssetId": "azureml:iris:1"}, MODEL),
        (
            {"referenceType": "dataPath", "datastoreId": "azureml:store", "path": "m"},
            {"referenceType": "DataPath", "datastoreId": "azureml:store", "path": "m"},
        ),
    ],
)
async def test_a_model_is_a_reference(endpoint, given, reference):
    await put(endpoint, {"compute": "azureml:cpu", "model": given})
    assert (await shown(endpoint))["model"] == reference


@pytest.mark.parametrize("api", ["2021-10-01", NEW])
async def test_a_patch_changes_what_it_says_only(endpoint, api):
    await put(endpoint, {"compute": "azureml:cpu", "errorThreshold": 3, "model": MODEL})
    body = {"properties": {"retrySettings": {"maxRetries": 0}, "description": "d"}}
    assert (await endpoint.call("PATCH", PATH, body, api=api)).status_code in {200, 202}
    properties = await shown(endpoint)
    assert properties["retrySettings"] == {"maxRetries": 0, "timeout": "PT30S"}
    assert (properties["description"], properties["errorThreshold"]) == ("d", 3)
    assert properties["model"] == MODEL


@pytest.mark.parametrize(
    ("properties", "code", "api"),
    [
        ({"partitionKeys": ["year"]}, "PartitionKeysNotSupported", OLD),
        (
            {"deploymentConfiguration": {"deploymentConfigurationType": "pipelineComponent"}},
            "PipelineDeploymentNotSupported",
            "2024-01-01-preview",
        ),
    ],
)
async def test_what_is_not_served_is_refused_by_name(endpoint, properties, code, api):
    compute = {"target": "azureml:cpu"} if api == OLD else "azureml:cpu"
    answer = await put(endpoint, {"compute": compute, **properties}, api)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("properties", "target"),
    [
        ({}, "compute"),
        ({"compute": "c", "miniBatchSize": 0}, "miniBatchSize"),
        ({"compute": "c", "errorThreshold": -2}, "errorThreshold"),
        ({"compute": "c", "outputFileName": "a/b"}, "outputFileName"),
        ({"compute": "c", "retrySettings": {"timeout": "PT0S"}}, "retrySettings.timeout"),
        ({"compute": "c", "resources": {"instanceCount": 0}}, "resources.instanceCount"),
        ({"compute": "c", "loggingLevel": "Loud"}, "loggingLevel"),
    ],
)
async def test_faults_are_named(endpoint, properties, target):
    answer = await put(endpoint, properties)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["target"] == target
