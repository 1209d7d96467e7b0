"""The article "deploy models with REST" for online endpoints, step by step, in two api-versions."""

import json

import pytest

from tests.live import wait_for
from tests.wire.script import Script

SCORE = """
import json, os
def init():
    global weights
    path = os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.json")
    weights = json.load(open(path))["w"]
    print("model loaded")
def run(data):
    return [sum(a * b for a, b in zip(weights, row)) for row in json.loads(data)["data"]]
"""
REQUEST = '{"data": [\n [1, 1],\n [3, 0.5]\n]}'


def endpoint_body(script):
    identity = '"identity": {\n "type": "systemAssigned"\n },'
    properties = '"properties": {\n "authMode": "AMLToken",\n "traffic": { "blue": 100 }\n },'
    return f'{{\n {identity}\n {properties}\n "location": "{script.location}"\n}}'


def deployment_body(script, code, model, environment):
    if script.is_old:
        shape = f"""
        "endpointComputeType": "Managed",
        "scaleSettings": {{
            "scaleType": "Manual",
            "instanceCount": 1,
            "minInstances": 1,
            "maxInstances": 2
        }},
        "model": {{ "referenceType": "Id", "assetId": "{model}" }},
        "InstanceType": "Standard_F2s_v2","""
        sku = ""
    else:
        shape = f"""
        "endpointComputeType": "Managed",
        "model": "{model}",
        "instanceType": "Standard_F2s_v2","""
        sku = '"sku": { "capacity": 1, "name": "Default" },'
    return f"""{{
    "location": "{script.location}",{sku}
    "properties": {{{shape}
        "codeConfiguration": {{
            "codeId": "{code}",
            "scoringScript": "score.py",
        }},
        "environmentId": "{environment}",
    }},
}}"""


@pytest.mark.parametrize("api", ["2021-03-01-preview", "2021-10-01"])
def test_a_model_is_deployed_scored_and_deleted(server, api):
    script = Script(server, api)
    name = "online-old" if script.is_old else "online-new"
    path = f"/onlineEndpoints/{name}"
    assets = script.assets(name, SCORE)

    endpoint = script.curl("PUT", path, endpoint_body(script))
    assert endpoint.status_code == 201, endpoint.text
    assert "azure-asyncoperation" in endpoint.headers
    assert script.wait_for_completion(endpoint)["status"] == "Succeeded"

    deployment = script.curl("PUT", f"{path}/deployments/blue", deployment_body(script, *assets))
    assert deployment.status_code == 201, deployment.text
    assert "azure-asyncoperation" in deployment.headers
    assert deployment.json()["properties"]["provisioningState"] == "Creating"
    ended = script.wait_for_completion(deployment)
    assert ended["status"] == "Succeeded", ended
    check_shape(script, f"{path}/deployments/blue", assets)

    score(script, path)
    read_logs(script, f"{path}/deployments/blue")
    script.wait_until_gone(script.curl("DELETE", path), path)
    assert script.curl("GET", f"{path}/deployments/blue").status_code == 404


def check_shape(script, path, assets):
    """Each version says back what it was told, in its own words."""
    shown = script.curl("GET", path).json()["properties"]
    assert shown["provisioningState"] == "Succeeded"
    assert shown["codeConfiguration"] == {"codeId": assets[0], "scoringScript": "score.py"}
    assert shown["instanceType"] == "Standard_F2s_v2"
    if script.is_old:
        assert shown["model"] == {"referenceType": "Id", "assetId": assets[1]}
        scale = {"scaleType": "Manual", "instanceCount": 1, "minInstances": 1, "maxInstances": 2}
    else:
        assert shown["model"] == assets[1]
        scale = {"scaleType": "Default"}
    assert shown["scaleSettings"] == scale


def score(script, path):
    """Traffic that was given before its deployment was there leads to it."""
    shown = script.curl("GET", path).json()["properties"]
    assert shown["traffic"] == {"blue": 100}
    token = script.curl("POST", f"{path}/token").json()
    assert (token["tokenType"], token["expiryTimeUtc"] > 0) == ("Bearer", True)
    sent = {
        "authorization": f"Bearer {token['accessToken']}",
        "content-type": "application/json",
    }
    url, http = shown["scoringUri"], script.server.http
    wait_for(lambda: http.post(url, content=REQUEST, headers=sent).status_code == 200)
    answer = http.post(url, content=REQUEST, headers=sent)
    assert json.loads(answer.text) == [3.0, 4.0]
    assert answer.headers["azureml-model-deployment"] == "blue"
    refused = http.post(url, content=REQUEST, headers={"authorization": "Bearer nobody"})
    assert refused.status_code == 401


def read_logs(script, path):
    """Both containers have a log; a request is one line of JSON."""
    answer = script.curl("POST", f"{path}/getLogs", '{ "tail": 100 }')
    assert answer.status_code == 200
    assert "model loaded" in answer.json()["content"]
    body = '{ "containerType": "StorageInitializer", "tail": "20" }'
    built = script.curl("POST", f"{path}/getLogs", body)
    assert (built.status_code, list(built.json())) == (200, ["content"])
