"""The article "deploy models with REST for batch scoring" (seeds 000), in two api-versions."""

import pytest

from tests.live import wait_for
from tests.wire.script import TERMINAL, Script

SCORE = """
import os
def init():
    assert os.path.isfile(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.json"))
def run(mini_batch):
    return [os.path.basename(path) + ": " + open(path).read() for path in mini_batch]
"""
DIGITS = {"0.txt": "zero", "1.txt": "one", "2.txt": "two"}
ROWS = [f"{name}: {text}" for name, text in DIGITS.items()]
CLUSTER = """{
    "properties": {
        "computeType": "AmlCompute",
        "properties": {
            "osType": "Linux",
            "vmSize": "STANDARD_D2_V2",
            "scaleSettings": {
                "maxNodeCount": 5,
                "minNodeCount": 0
            },
            "remoteLoginPortPublicAccess": "NotSpecified"
        },
    },
    "location": "%s"
}"""


@pytest.mark.parametrize("api", ["2021-03-01-preview", "2021-10-01"])
def test_files_are_scored_from_the_cloud_and_from_a_dataset(server, api):
    script = Script(server, api)
    name = "batch-old" if script.is_old else "batch-new"
    compute = make_compute(script, name)
    assets = script.assets(name, SCORE)
    data_url = upload_digits(script, name)
    path = f"/batchEndpoints/{name}"
    deploy(script, path, (*assets, compute))

    scoring_uri = script.curl("GET", path).json()["properties"]["scoringUri"]
    assert scoring_uri.endswith("/jobs")
    url = f'"dataset": {{\n "dataInputType": "DataUrl",\n "Path": "{data_url}"\n }}'
    first = invoke(script, scoring_uri, url)
    assert ended(script, scoring_uri, first) == ROWS

    second = invoke(script, scoring_uri, dataset_input(script, name, data_url))
    assert ended(script, scoring_uri, second) == ROWS
    properties = second["properties"]
    assert properties["outputFileName"] == f"predictions_{name}.csv"
    assert properties["output"]["path"] == name

    listed = script.curl("GET", f"{path}/jobs", api="2020-09-01-dataplanepreview").json()
    assert [job["id"] for job in listed["value"]] == [second["id"], first["id"]]
    delete(script, path, first)


def make_compute(script, name):
    answer = script.curl("PUT", f"/computes/{name}", CLUSTER % script.location)
    assert answer.status_code == 201, answer.text
    assert "azure-asyncoperation" in answer.headers
    wait_for(lambda: script.server.state_of(f"/computes/{name}") == "Succeeded")
    return answer.json()["id"]


def upload_digits(script, name):
    for file, text in DIGITS.items():
        url = script.upload(f"{name}/digits/{file}", text)
    return url.rpartition("/")[0]


def endpoint_body(script, default):
    chosen = ""
    if default:
        chosen = f'"traffic": {{ "{default}": 100 }},' if script.is_old else (
            f'"defaults": {{ "deploymentName": "{default}" }},')  # fmt: skip
    return f"""{{
    "properties": {{
        "authMode": "aadToken",
        {chosen}
    }},
    "location": "{script.location}"
}}"""


def deployment_body(script, code, model, environment, compute):
    if script.is_old:
        shape = f"""
        "compute": {{
            "target": "{compute}",
            "instanceCount": "1",
        }},
        "outputConfiguration": {{ "outputAction": "AppendRow" }},"""
    else:
        shape = f"""
        "compute": "{compute}",
        "resources": {{ "instanceCount": 1 }},
        "maxConcurrencyPerInstance": "2","""
    return f"""{{
    "location": "{script.location}",
    "properties": {{{shape}
        "model": {{
            "referenceType": "Id",
            "assetId": "{model}"
        }},
        "codeConfiguration": {{
            "codeId": "{code}",
            "scoringScript": "score.py"
        }},
        "environmentId": "{environment}",
        "retrySettings": {{
            "maxRetries": 3,
            "timeout": "PT30S"
        }},
        "errorThreshold": "10",
        "loggingLevel": "info",
        "miniBatchSize": "5",
    }}
}}"""


def deploy(script, path, parts):
    """Endpoint, deployment, and the default set by the endpoint's second PUT."""
    made = script.curl("PUT", path, endpoint_body(script, ""))
    assert made.status_code == 201, made.text
    assert script.wait_for_completion(made)["status"] == "Succeeded"
    put = script.curl("PUT", f"{path}/deployments/nonmlflowedp", deployment_body(script, *parts))
    assert put.status_code == 201, put.text
    operation = script.wait_for_completion(put)
    assert operation["status"] == "Succeeded", operation
    assert put.json()["properties"]["miniBatchSize"] == 5
    chosen = script.curl("PUT", path, endpoint_body(script, "nonmlflowedp"))
    assert chosen.status_code == 200
    assert script.wait_for_completion(chosen)["status"] == "Succeeded"


def dataset_input(script, name, data_url):
    """Register the data, in the form that the version has, and name it with an output of its own.

    The body has the sloppiness of the scripts: an ending comma, any case of letters.
    """
    store, *_ = script.default_store()
    store_id = f"{script.server.workspace}/datastores/{store}"
    if script.is_old:
        body = f'{{"properties": {{ "datastoreId": "{store_id}", "path": "{name}/digits/" }}}}'
        script.made(f"/data/{name}/versions/1", body)
    else:
        body = f'{{"properties": {{ "paths": [ {{ "folder": "{data_url}" }} ] }}}}'
        script.made(f"/datasets/{name}/versions/1", body)
    return f"""
        "dataset": {{
            "dataInputType": "DatasetVersion",
            "datasetName": "{name}",
            "datasetVersion": "1"
        }},
        "outputDataset": {{
            "datastoreId": "{store_id}",
            "path": "{name}"
        }},
        "OutputFileName": "predictions_{name}.csv","""


def ml_headers(script):
    return {"authorization": f"Bearer {script.server.token('https://ml.azure.com')}"}


def invoke(script, scoring_uri, properties):
    body = f'{{\n "properties": {{ {properties}\n }}\n}}'
    answer = script.server.http.post(scoring_uri, content=body, headers=ml_headers(script))
    assert answer.status_code == 201, answer.text
    return answer.json()


def ended(script, scoring_uri, job):
    """Poll the job below the scoring URI until it has ended; the rows of its output."""
    suffix = job["id"].rpartition("/")[2]
    seen = []

    def is_over():
        url = f"{scoring_uri}/{suffix}"
        seen.append(script.server.http.get(url, headers=ml_headers(script)).json())
        assert seen[-1]["status"] == seen[-1]["properties"]["status"]
        return seen[-1]["status"] in TERMINAL

    wait_for(is_over)
    properties = seen[-1]["properties"]
    assert seen[-1]["status"] == "Completed", properties["error"]
    assert properties["provisioningState"] == "Succeeded"
    found = script.server.blobs / properties["output"]["path"] / properties["outputFileName"]
    return found.read_text().splitlines()


def delete(script, path, job):
    """The endpoint goes with its deployments; its jobs stay."""
    answer = script.curl("DELETE", path)
    if answer.status_code == 202:
        script.wait_until_gone(answer, path)
    assert answer.status_code in {200, 202}
    gone = lambda: script.curl("GET", f"{path}/deployments/nonmlflowedp").status_code == 404  # noqa: E731
    wait_for(gone)
    assert script.server.job(job["name"])["status"] == "Completed"
