"""Every command of the document on managed online endpoints of May 2021, as it is typed there."""

import json

import pytest

from tests.wire.shell import CONDA, Shell

FLOW = "endpoints/online/managed/simple-flow"
YAML = f"{FLOW}/1-create-endpoint-with-blue.yml"
DEPLOYMENT = """\
  - name: COLOUR
    model:
      name: NAME
      version: 1
      local_path: ../../model-1/model/weights.json
    code_configuration:
      code:
        local_path: ../../model-1/onlinescoring/
      scoring_script: score.py
    environment:
      name: NAME
      version: 1
      path: .
      conda_file: file:../../model-1/environment/conda.yml
      docker:
        image: mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:20210301.v1
    instance_type: Standard_F2s_v2
    scale_settings:
      scale_type: manual
      instance_count: 1
"""
ENDPOINT = """
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json
name: my-endpoint
type: online
auth_mode: key
traffic:
  TRAFFIC

deployments:
"""
SCRIPT = """
import json
import logging
import os

def init():
    global weight
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "weights.json")) as file:
        weight = json.load(file)
    logging.info("Init complete")

def run(body):
    print("scoring", body)
    return [weight * value for value in json.loads(body)["data"]]
"""


def endpoint(name, traffic, *colours):
    """The endpoint's file; assets have the name of the test, as versions do not change."""
    deployments = [DEPLOYMENT.replace("COLOUR", each).replace("NAME", name) for each in colours]
    return "".join([ENDPOINT.replace("TRAFFIC", traffic), *deployments])


def written(server, folder, name):
    """The folder of the document, its variable set."""
    shell = Shell(server, folder, ENDPOINT_NAME=name)
    shell.write(YAML, endpoint(name, "blue: 100", "blue"))
    shell.write("endpoints/online/model-1/model/weights.json", "3")
    shell.write("endpoints/online/model-1/onlinescoring/score.py", SCRIPT)
    shell.write("endpoints/online/model-1/environment/conda.yml", CONDA)
    shell.write("endpoints/online/model-1/sample-request.json", '{"data": [1, 2]}')
    return shell


@pytest.fixture
def shell(server, tmp_path):
    """Nothing is there yet; what a test makes goes again."""
    shell = written(server, tmp_path, "seed002")
    yield shell
    shell.run("az ml endpoint delete -n $ENDPOINT_NAME --yes")
    shell.run("az ml endpoint delete --local -n $ENDPOINT_NAME --yes")


@pytest.fixture(scope="module")
def deployed(server, tmp_path_factory):
    """The state after "deploy to Azure"."""
    shell = written(server, tmp_path_factory.mktemp("seed002"), "seed002-deployed")
    shell.az(f"az ml endpoint create -n $ENDPOINT_NAME -f {YAML}")
    yield shell
    shell.az("az ml endpoint delete -n $ENDPOINT_NAME --yes --no-wait")


def invoked(shell):
    line = "az ml endpoint invoke -n $ENDPOINT_NAME --request-file"
    return json.loads(json.loads(shell.az(f"{line} endpoints/online/model-1/sample-request.json")))


def test_a_local_endpoint_is_made_tried_updated_and_deleted_beside_the_server(shell):
    shell.az(f"az ml endpoint create --local -n $ENDPOINT_NAME -f {YAML}")
    logs = "az ml endpoint get-logs --local -n $ENDPOINT_NAME --deployment blue"
    assert "Init complete" in shell.az(logs)
    invoke = "az ml endpoint invoke --local -n $ENDPOINT_NAME"
    request = "--request-file endpoints/online/model-1/sample-request.json"
    assert json.loads(json.loads(shell.az(f"{invoke} {request}"))) == [3, 6]
    assert "scoring" in shell.az(logs)
    shown = json.loads(shell.az("az ml endpoint show --local -n $ENDPOINT_NAME"))
    assert shown["scoring_uri"].startswith("http://localhost:")
    assert shown["deployments"][0]["provisioning_status"] == "Succeeded"
    assert "not found" in shell.refused("az ml endpoint show -n $ENDPOINT_NAME").lower()
    said = 'logging.info("Init complete")'
    text = SCRIPT.replace(said, f'{said}\n    logging.info("Updated successfully")')
    shell.write("endpoints/online/model-1/onlinescoring/score.py", text)
    shell.az(f"az ml endpoint update --local -n $ENDPOINT_NAME -f {YAML}")
    assert "Updated successfully" in shell.az(logs)
    users = json.loads(shell.az("az environment list --query [].used_by"))
    assert ["local endpoint seed002"] in [
        [each for each in names if each.startswith("local")] for names in users
    ]
    shell.az("az ml endpoint delete --local -n $ENDPOINT_NAME --yes")
    assert json.loads(shell.az("az ml endpoint list --local")) == []


def test_a_local_file_is_declarative_and_has_no_traffic_split(shell):
    shell.write(YAML, endpoint("seed002", "green: 100", "blue", "green"))
    made = json.loads(shell.az(f"az ml endpoint create --local -n $ENDPOINT_NAME -f {YAML}"))
    assert [each["name"] for each in made["deployments"]] == ["blue", "green"]
    green = "az ml endpoint show --local -n $ENDPOINT_NAME --deployment green"
    assert json.loads(shell.az(green))["scoring_uri"] == made["scoring_uri"]
    update = "az ml endpoint update --local -n $ENDPOINT_NAME"
    refused = shell.refused(f'{update} --traffic "blue:90,green:10"')
    assert "no traffic split without a server" in refused
    shell.write(YAML, endpoint("seed002", "blue: 100", "blue"))
    left = json.loads(shell.az(f"{update} -f {YAML}"))
    assert [each["name"] for each in left["deployments"]] == ["blue"]
    shell.az(f"{update} --set deployments[0].environment_variables.A=1")
    shell.az("az ml endpoint delete --local -n $ENDPOINT_NAME --yes")


def test_a_new_local_endpoint_goes_again_if_its_file_is_at_fault(shell):
    text = endpoint("seed002", "blue: 100", "blue").replace("score.py", "none.py")
    shell.write(YAML, text)
    line = f"az ml endpoint create --local -n $ENDPOINT_NAME -f {YAML}"
    assert "there is no none.py" in shell.refused(line)
    assert json.loads(shell.az("az ml endpoint list --local")) == []


def test_the_subscription_and_the_workspace_are_chosen_once(shell):
    names = shell.server.workspace.split("/")
    shell.az(f"az account set --subscription {names[2]}")
    shell.az(f"az configure --defaults workspace={names[-1]} group={names[4]}")
    assert json.loads(shell.az("az account show"))["id"] == names[2]
    shell.az("az configure --defaults workspace=other")
    assert "workspaces/other" in shell.refused("az ml endpoint list")
    shell.az("az configure --defaults workspace='' group=''")
    shell.az("az ml endpoint list")
    assert "there is" in shell.refused("az account set --subscription none")
    assert "did you mean 'workspace'?" in shell.refused("az configure --defaults workspce=x")


def test_the_endpoint_and_its_deployment_are_ready(deployed):
    shown = json.loads(deployed.az("az ml endpoint show -n $ENDPOINT_NAME"))
    (blue,) = shown["deployments"]
    assert (shown["provisioning_status"], blue["provisioning_status"]) == ("Succeeded",) * 2
    assert blue["scale_settings"] == {"scale_type": "manual", "instance_count": 1}
    assert "seed002-deployed" in deployed.az("az ml endpoint list --output table")


def test_it_answers_and_logs(deployed):
    assert invoked(deployed) == [3, 6]
    logs = "az ml endpoint get-logs -n $ENDPOINT_NAME --deployment blue"
    assert "scoring" in deployed.az(logs)
    deployed.az(f"{logs} --container storage-initializer")


def test_a_client_of_its_own_needs_the_address_and_the_key(deployed):
    uri = deployed.az('az ml endpoint show -n $ENDPOINT_NAME --query "scoring_uri"')
    assert json.loads(uri).endswith("/score")
    keys = json.loads(deployed.az("az ml endpoint get-credentials -n $ENDPOINT_NAME"))
    assert keys == json.loads(deployed.az("az ml endpoint list-keys -n $ENDPOINT_NAME"))
    deployed.az("az ml endpoint regenerate-keys -n $ENDPOINT_NAME --key-type primary --yes")
    new = json.loads(deployed.az("az ml endpoint get-credentials -n $ENDPOINT_NAME"))
    assert new["primaryKey"] != keys["primaryKey"]
    assert new["secondaryKey"] == keys["secondaryKey"]


def test_an_update_of_the_script_shows_in_the_log(deployed):
    said = 'logging.info("Init complete")'
    text = SCRIPT.replace(said, f'{said}\n    logging.info("Updated successfully")')
    deployed.write("endpoints/online/model-1/onlinescoring/score.py", text)
    deployed.az(f"az ml endpoint update -n $ENDPOINT_NAME -f {YAML}")
    logs = deployed.az("az ml endpoint get-logs -n $ENDPOINT_NAME --deployment blue")
    assert "Updated successfully" in logs
    assert invoked(deployed) == [3, 6]


def test_a_deployment_is_scaled_without_the_file(deployed):
    line = "az ml endpoint update -n $ENDPOINT_NAME"
    deployed.az(f"{line} --set deployments[0].scale_settings.instance_count=2")
    query = "az ml endpoint show -n $ENDPOINT_NAME --query deployments[0].scale_settings"
    assert json.loads(deployed.az(query))["instance_count"] == 2
    deployed.az(f"{line} --deployment blue --instance-count 1")
    assert json.loads(deployed.az(query))["instance_count"] == 1


def test_a_file_says_what_is_there(shell):
    shell.az(f"az ml endpoint create -n $ENDPOINT_NAME -f {YAML}")
    for traffic, colours in (
        ({"blue": 100}, ["blue", "green"]),
        ({"blue": 90, "green": 10}, ["blue", "green"]),
        ({"green": 100}, ["green"]),
    ):
        lines = "\n  ".join(f"{name}: {share}" for name, share in traffic.items())
        shell.write(YAML, endpoint("seed002", lines, *colours))
        shown = json.loads(shell.az(f"az ml endpoint update -n $ENDPOINT_NAME -f {YAML}"))
        assert shown["traffic"] == traffic
        assert [each["name"] for each in shown["deployments"]] == colours
    assert invoked(shell) == [3, 6]


def test_a_second_deployment_is_rolled_out_by_options(shell):
    shell.az(f"az ml endpoint create -n $ENDPOINT_NAME -f {YAML}")
    part = (shell.folder / YAML).read_text().partition("  - name: blue\n")[2]
    shell.write(f"{FLOW}/green.yml", "\n".join(line[4:] for line in part.splitlines()))
    line = "az ml endpoint update --name $ENDPOINT_NAME"
    shell.az(
        f'{line} --deployment green --deployment-file {FLOW}/green.yml --traffic "blue:100,green:0"'
    )
    request = "--request-file endpoints/online/model-1/sample-request.json"
    shell.az(f"az ml endpoint invoke --name $ENDPOINT_NAME --deployment green {request}")
    shell.az(f'{line} --traffic "blue:90,green:10"')
    refused = "az ml endpoint delete --name $ENDPOINT_NAME --deployment blue --yes"
    assert "takes 90 % of the traffic" in shell.refused(refused)
    shell.az(f'{line} --traffic "blue:0,green:100"')
    shell.az("az ml endpoint delete --name $ENDPOINT_NAME --deployment blue --yes")
    assert invoked(shell) == [3, 6]


def test_models_and_environments_may_be_registered_apart(shell):
    model = "name: apart\nversion: 1\nlocal_path: model-1/model/weights.json\n"
    image = "docker: {image: azureml/base}\npath: .\nconda_file: file:model-1/environment/conda.yml"
    shell.write("endpoints/online/model.yml", model)
    shell.write("endpoints/online/env.yml", f"name: apart\nversion: 1\n{image}\n")
    shell.az("az ml model create -f endpoints/online/model.yml")
    shell.az("az ml environment create -f endpoints/online/env.yml")
    text = (shell.folder / YAML).read_text()
    inline = text[text.index("    model:") : text.index("    code_configuration")]
    text = text.replace(inline, "    model:azureml:apart:1\n")
    inline = text[text.index("    environment:") : text.index("    instance_type")]
    shell.write(YAML, text.replace(inline, "    environment: azureml: apart:1\n"))
    shell.az(f"az ml endpoint create -n $ENDPOINT_NAME -f {YAML}")
    assert invoked(shell) == [3, 6]


@pytest.mark.parametrize("noun", ["model", "environment", "dataset", "data"])
def test_create_explains_itself(shell, noun):
    assert "--file" in shell.az(f"az ml {noun} create -h")
