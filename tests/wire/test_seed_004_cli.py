"""Every command of the document on batch endpoints of October 2021, as it is typed there.

No job runs on the MLflow deployment, as what runs such a model is not installed here.
"""

import json

import pytest

from tests.wire.shell import CONDA, SAMPLES, Shell

DEPLOYMENT = """
$schema: https://azuremlschemas.azureedge.net/latest/batchDeployment.schema.json
name: nonmlflowdp
endpoint_name: mybatchedp
model:
  local_path: ./mnist/model/
code_configuration:
  code:
    local_path: ./mnist/code/
  scoring_script: digit_identification.py
environment:
  conda_file: ./mnist/environment/conda.yml
  image: mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:latest
compute: azureml:batch-cluster
resources:
  instance_count: 1
max_concurrency_per_instance: 2
mini_batch_size: 10
output_action: append_row
output_file_name: predictions.csv
retry_settings:
  max_retries: 3
  timeout: 30
error_threshold: -1
logging_level: info
"""
MLFLOW = """
$schema: https://azuremlschemas.azureedge.net/latest/batchDeployment.schema.json
name: mlflowdp
endpoint_name: mybatchedp
model:
  local_path: ./autolog_nyc_taxi
compute: azureml:batch-cluster
"""
SCRIPT = """
import os

def init():
    global model
    model = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "weights.txt")).read()

def run(mini_batch):
    return [f"{os.path.basename(path)} {open(path).read()} {model}" for path in mini_batch]
"""
INVOKE = "az ml batch-endpoint invoke --name $ENDPOINT_NAME"
ONE = "--name nonmlflowdp --endpoint-name $ENDPOINT_NAME"


@pytest.fixture(scope="module")
def shell(mirrored, tmp_path_factory):
    """The state after "create a batch deployment"."""
    shell = Shell(mirrored, tmp_path_factory.mktemp("seed004"), ENDPOINT_NAME="seed004")
    folder = "endpoints/batch"
    shell.write(f"{folder}/nonmlflow-deployment.yml", DEPLOYMENT)
    shell.write(f"{folder}/mnist/model/weights.txt", "w")
    shell.write(f"{folder}/mnist/code/digit_identification.py", SCRIPT)
    shell.write(f"{folder}/mnist/environment/conda.yml", CONDA)
    shell.write(f"{folder}/mlflow-deployment.yml", MLFLOW)
    shell.write(f"{folder}/autolog_nyc_taxi/MLmodel", "flavors: {python_function: {}}\n")
    shell.write(f"{folder}/autolog_nyc_taxi/conda.yaml", CONDA)
    shell.az(
        "az ml compute create -n batch-cluster --type amlcompute"
        " --min-instances 0 --max-instances 5"
    )
    shell.az("az ml batch-endpoint create --name $ENDPOINT_NAME")
    shell.az(
        f"az ml batch-deployment create {ONE}"
        f" --file {folder}/nonmlflow-deployment.yml --set-default"
    )
    return shell


def finished(shell, name):
    """The rows of a job, once it has ended well."""
    shell.az(f"az ml job stream -n {name}")
    assert shell.az(f"az ml job show -n {name} --query status -o tsv") == "Completed"
    return sorted(shell.server.rows(name))


def test_the_deployment_is_the_default(shell):
    endpoint = json.loads(shell.az("az ml batch-endpoint show --name $ENDPOINT_NAME"))
    assert endpoint["defaults"]["deployment_name"] == "nonmlflowdp"
    shown = json.loads(shell.az(f"az ml batch-deployment show {ONE}"))
    assert (shown["mini_batch_size"], shown["error_threshold"]) == (10, -1)
    assert shown["max_concurrency_per_instance"] == 2


def test_a_folder_and_a_file_of_the_cloud_are_scored(shell):
    folder = shell.az(f"{INVOKE} --input-path folder:{SAMPLES}/mnist --query name -o tsv")
    one = shell.az(
        f"{INVOKE} --deployment-name nonmlflowdp"
        f" --input-path file:{SAMPLES}/nytaxi/taxi-tip-data.csv --query name -o tsv"
    )
    assert len(finished(shell, folder)) == 12
    assert finished(shell, one) == ["taxi-tip-data.csv 1 w"]
    code, _, said = shell.run(f"az ml job show -n {folder} --web")
    assert (code, "The job's page: http" in said) == (0, True)
    listed = shell.az("az ml batch-endpoint list-jobs --name $ENDPOINT_NAME --query [].name")
    assert {folder, one} <= set(json.loads(listed))


def test_registered_and_local_data_are_scored(shell):
    shell.write("images/a.png", "7")
    shell.write("set.yml", "name: seed004\nversion: 1\nlocal_path: images\n")
    shell.write("paths.yml", f"name: seed004\nversion: 2\npaths:\n- folder: {SAMPLES}/mnist\n")
    shell.az("az ml dataset create --file set.yml")
    shell.az("az ml dataset create --file paths.yml")
    (path,) = json.loads(shell.az("az ml dataset show -n seed004 -v 2 --query paths"))
    assert path["folder"] == f"{SAMPLES}/mnist"
    ask = "--query name -o tsv"
    one = shell.az(f"{INVOKE} --input-dataset azureml:seed004:1 {ask}")
    two = shell.az(f"{INVOKE} --input-dataset azureml:seed004:2 {ask}")
    local = shell.az(f"{INVOKE} --input-local-path images {ask}")
    assert finished(shell, one) == finished(shell, local) == ["a.png 7 w"]
    assert len(finished(shell, two)) == 12


def test_output_and_settings_are_those_of_the_invocation(shell):
    name = shell.az(
        f"{INVOKE} --input-path folder:{SAMPLES}/mnist"
        " --output-path folder:azureml://datastores/workspaceblobstore/paths/$ENDPOINT_NAME"
        " --set output_file_name=mine.csv --mini-batch-size 20 --instance-count 5"
        " --set max_concurrency_per_instance=4 --set error_threshold=3 --query name -o tsv"
    )
    shell.az(f"az ml job stream -n {name}")
    written = (shell.server.blobs / "seed004" / "mine.csv").read_text()
    assert len(written.splitlines()) == 12


def test_a_new_model_comes_beside_the_default_one(shell):
    two = "--name mlflowdp --endpoint-name $ENDPOINT_NAME"
    shell.az(f"az ml batch-deployment create {two} --file endpoints/batch/mlflow-deployment.yml")
    default = "az ml batch-endpoint show --name $ENDPOINT_NAME --query defaults.deployment_name"
    assert json.loads(shell.az(default)) == "nonmlflowdp"
    update = "az ml batch-endpoint update --name $ENDPOINT_NAME --defaults"
    shell.az(f"{update} deployment_name=mlflowdp")
    assert json.loads(shell.az(default)) == "mlflowdp"
    shell.az(f"{update} deployment_name=nonmlflowdp")
    shell.az(f"az ml batch-deployment update {two} --set mini_batch_size=3")
    shell.az(f"az ml batch-deployment delete {two} --yes")


def test_a_deleted_endpoint_leaves_its_jobs(shell):
    shell.write("images/a.png", "7")
    shell.az("az ml batch-endpoint create --name $ENDPOINT_NAME-2")
    shell.az(
        "az ml batch-deployment create --name dp --endpoint-name $ENDPOINT_NAME-2"
        " --file endpoints/batch/nonmlflow-deployment.yml --set-default"
    )
    name = shell.az(f"{INVOKE}-2 --input-local-path images --query name -o tsv")
    finished(shell, name)
    shell.az("az ml batch-endpoint delete --name $ENDPOINT_NAME-2 --yes")
    assert shell.az(f"az ml job show -n {name} --query status -o tsv") == "Completed"


@pytest.mark.parametrize("line", ["dataset create", "batch-deployment update", "job"])
def test_what_the_document_says_to_look_up_is_there(shell, line):
    assert "lazulite ml" in shell.az(f"az ml {line} -h")
