"""Models of type triton_model: refused at once, with what would serve them."""

import pytest

PATH = "/onlineEndpoints/eyes/deployments/blue"
IMAGE = {
    "image": "triton:1",
    "inferenceConfig": {
        name: {"path": "/v2/health/ready", "port": 8000}
        for name in ("livenessRoute", "readinessRoute", "scoringRoute")
    },
}


@pytest.fixture
async def put(plane):
    await plane.put("/onlineEndpoints/eyes", {"authMode": "Key"})
    uri = "azureml://datastores/workspaceblobstore/paths/m"
    for name, kind in (("t", "triton_model"), ("c", "custom_model")):
        model = {"modelUri": uri, "modelType": kind}
        assert (await plane.put(f"/models/{name}/versions/1", model)).status_code == 201
    await plane.put("/environments/server/versions/1", IMAGE)
    await plane.put("/environments/plain/versions/1", {"condaFile": "dependencies: [python]"})
    return lambda **said: plane.put(PATH, {"endpointComputeType": "Managed", **said})


@pytest.mark.parametrize("environment", [{}, {"environmentId": "azureml:plain:1"}])
async def test_a_triton_model_alone_is_refused_by_name(put, environment):
    answer = await put(model="azureml:t:1", **environment)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["target"]) == (
        *(400, "TritonNotSupported"),
        "model",
    )
    assert "there is no Triton server here: name an environmentId whose image" in error["message"]


@pytest.mark.parametrize(
    "said",
    [
        {"model": "azureml:t:1", "environmentId": "azureml:server:1"},
        {"model": "azureml:t:1", "codeConfiguration": {"codeId": "c", "scoringScript": "s.py"}},
        {"model": "azureml:c:1"},
        {"model": "azureml:missing:1"},
    ],
)
async def test_what_brings_a_server_or_a_script_is_taken(put, said):
    assert (await put(**said)).status_code == 201
