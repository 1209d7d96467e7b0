"""Every command of the document on batch endpoints of June 2021, as it is typed there.

Its first deployment is an MLflow model; jobs run on the second one, as what runs such a model is
not installed here.
"""

import json

import pytest

from tests.wire.shell import CONDA, SAMPLES, Shell

ENDPOINT = """
$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json
name: mybatchedp
description: scores what it is given
type: batch
auth_mode: aad_token
traffic:
  autolog-deployment: 100
deployments:
  - name: autolog-deployment
    model:
      name: autolog
      version: 1
      local_path: ./autolog_nyc_taxi
    compute:
      target: azureml:cpu-cluster
      instance_count: 1
"""
MNIST = """
$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json
name: mnist-deployment
model:
  name: mnist
  version: 1
  local_path: ./mnist/model/
code_configuration:
  code:
    local_path: ./mnist/code/
  scoring_script: digits.py
environment:
  name: mnist-env
  version: 1
  path: .
  conda_file: file:./mnist/environment/conda.yml
  docker:
    image: mcr.microsoft.com/azureml/intelmpi2018.3-ubuntu16.04:20210301.v1
mini_batch_size: 5
output_file_name: predictions.csv
retry_settings:
  max_retries: 3
  timeout: 30
error_threshold: 10
logging_level: info
compute:
  target: azureml:cpu-cluster
  instance_count: 1
environment_variables:
  TEXT_BEFORE: digit
"""
SCRIPT = """
import os

def init():
    global model
    folder = os.environ["AZUREML_MODEL_DIR"]
    model = open(os.path.join(folder, "model", "weights.txt")).read()

def run(mini_batch):
    before = os.environ["TEXT_BEFORE"]
    return [f"{before} {open(path).read()} {model} {len(mini_batch)}" for path in mini_batch]
"""
INVOKE = "az ml endpoint invoke --name mybatchedp --type batch"
TAXI = f"{SAMPLES}/nytaxi/taxi-tip-data.csv"


@pytest.fixture(scope="module")
def shell(mirrored, tmp_path_factory):
    """The state after "add a deployment" and "activate"."""
    shell = Shell(mirrored, tmp_path_factory.mktemp("seed001"))
    folder = "cli/endpoints/batch"
    shell.write(f"{folder}/create-batch-endpoint.yml", ENDPOINT)
    shell.write(f"{folder}/autolog_nyc_taxi/MLmodel", "flavors: {python_function: {}}\n")
    shell.write(f"{folder}/autolog_nyc_taxi/conda.yaml", CONDA)
    shell.write(f"{folder}/add-deployment.yml", MNIST)
    shell.write(f"{folder}/mnist/model/weights.txt", "w")
    shell.write(f"{folder}/mnist/code/digits.py", SCRIPT)
    shell.write(f"{folder}/mnist/environment/conda.yml", CONDA)
    shell.write("images/a.png", "7")
    for line in ("az version", "az upgrade", "az extension add -n ml"):
        shell.az(line)
    shell.az(
        "az ml compute create --name cpu-cluster --type AmlCompute"
        " --min-instances 0 --max-instances 5"
    )
    shell.az(f"az ml endpoint create --type batch --file {folder}/create-batch-endpoint.yml")
    shell.first = json.loads(shell.az("az ml endpoint show --name mybatchedp --type batch"))
    shell.az(
        "az ml endpoint update --name mybatchedp --type batch"
        f" --deployment-file {folder}/add-deployment.yml"
    )
    shell.second = json.loads(shell.az("az ml endpoint show --name mybatchedp --type batch"))
    shell.az("az ml endpoint update --name mybatchedp --type batch --traffic mnist-deployment:100")
    return shell


def rows(shell, line):
    """What the job of an invocation wrote, with its end followed."""
    name = shell.az(f"{line} --query name -o tsv")
    shell.az(f"az ml job stream --name {name}")
    assert shell.az(f"az ml job show --name {name} --query status -o tsv") == "Completed"
    return sorted(shell.server.rows(name))


def test_the_endpoint_has_the_deployment_of_its_file(shell):
    (made,) = shell.first["deployments"]
    assert (shell.first["type"], shell.first["auth_mode"]) == ("batch", "aad_token")
    assert shell.first["traffic"] == {"autolog-deployment": 100}
    assert (made["name"], made["compute"]["instance_count"]) == ("autolog-deployment", 1)
    assert made["compute"]["target"].endswith("/computes/cpu-cluster")
    model = json.loads(shell.az("az ml model show -n autolog --version 1"))
    assert model["type"] == "mlflow_model"


def test_an_added_deployment_changes_nothing_of_the_active_one(shell):
    assert shell.second["traffic"] == {"autolog-deployment": 100}
    added = {each["name"]: each for each in shell.second["deployments"]}["mnist-deployment"]
    assert added["retry_settings"] == {"max_retries": 3, "timeout": 30}
    shown = json.loads(shell.az("az ml endpoint show --name mybatchedp --type batch"))
    assert shown["traffic"] == {"mnist-deployment": 100}
    assert len(shown["deployments"]) == 2


def test_the_published_folder_is_scored_with_new_settings(shell):
    line = f"{INVOKE} --input-path {SAMPLES}/mnist --mini-batch-size 10 --instance-count 2"
    found = rows(shell, line)
    assert len(found) == 12
    assert {row.split()[-1] for row in found} == {"10", "2"}


def test_data_may_be_registered_in_a_datastore_or_here(shell):
    shell.server.files("seed001", 3)
    shell.write("data.yml", "name: digits\nversion: 1\nlocal_path: ./images\n")
    shell.az("az ml data create --file data.yml")
    three = ["digit 0 w 3", "digit 1 w 3", "digit 2 w 3"]
    assert rows(shell, f"{INVOKE} --input-data azureml:digits:1") == ["digit 7 w 1"]
    datastore = "--input-datastore azureml:workspaceblobstore --input-path seed001"
    assert rows(shell, f"{INVOKE} {datastore}") == three
    assert rows(shell, f"{INVOKE} --input-local-path images") == ["digit 7 w 1"]


def test_the_results_go_where_they_are_wanted(shell):
    name = shell.az(
        f"{INVOKE} --input-path {TAXI} --output-datastore azureml:workspaceblobstore"
        " --output-path mypath --set output_file_name=mypredictions.csv"
        " --set retry_settings.max_retries=1 --query name -o tsv"
    )
    shell.az(f"az ml job stream --name {name}")
    assert (shell.server.blobs / "mypath/mypredictions.csv").read_text() == "digit 1 w 1\n"
    listed = shell.az("az ml endpoint list-jobs --name mybatchedp --type batch --query [].name")
    assert name in json.loads(listed)


def test_the_scoring_uri_starts_a_job_without_the_command_line(shell):
    uri = shell.az("az ml endpoint show --name mybatchedp --type batch --query scoring_uri -o tsv")
    data = {"dataset": {"dataInputType": "DataUrl", "Path": f"{SAMPLES}/mnist"}}
    # The document names no resource; batch scoring takes tokens for machine learning only.
    ask = "az account get-access-token --resource https://ml.azure.com"
    token = shell.az(f"{ask} --query accessToken -o tsv")
    path = uri[uri.index("/inference/") :]
    answer = shell.server.http.post(
        shell.server.base + path,
        json={"properties": data},
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code in {200, 201}, answer.text


def test_traffic_of_a_batch_endpoint_is_all_or_nothing(shell):
    line = "az ml endpoint update --name mybatchedp --type batch --traffic"
    assert "50 is not 0 or 100 percent" in shell.refused(
        f"{line} autolog-deployment:50,mnist-deployment:50"
    )
    assert "no such deployment" in shell.refused(f"{line} other:100")
