"""A folder with a model, code and environment, and commands without any server."""

import json
import shlex
import types

import pytest

from tests.wire.shell import CONDA, Shell

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
    if body == "{}":
        return {name: os.environ.get(name) for name in ("AZUREML_DEBUG_PORT", "GREETING")}
    return [weight * value for value in json.loads(body)["data"]]
"""
DEPLOYMENT = """
model:
  path: model/weights.json
code_configuration:
  code: code
  scoring_script: score.py
environment:
  conda_file: conda.yml
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest
instance_type: Standard_DS3_v2
instance_count: 3
"""


class LocalShell(Shell):
    """A shell whose commands find no server."""

    def __init__(self, data, folder, **variables):
        super().__init__(types.SimpleNamespace(data_dir=data), folder, **variables)
        self.write("code/score.py", SCRIPT)
        self.write("model/weights.json", "3")
        self.write("conda.yml", CONDA)
        self.write("request.json", '{"data": [1, 2]}')
        self.write("empty.json", "{}")
        self.write("deployment.yml", DEPLOYMENT)

    def json(self, line):
        return json.loads(self.az(line))

    def scored(self, endpoint, *options, file="request.json"):
        """What invoke answers."""
        line = f"az ml online-endpoint invoke --local -n {endpoint} -r {file}"
        return json.loads(self.json(shlex.join([*shlex.split(line), *options])))


@pytest.fixture(scope="session")
def local_data(tmp_path_factory):
    """A data folder without a server: its one environment is built once."""
    return tmp_path_factory.mktemp("local") / "data"


@pytest.fixture
def shell(local_data, tmp_path):
    """What a test starts is stopped after it."""
    found = LocalShell(local_data, tmp_path)
    yield found
    for name in found.json("az ml online-endpoint list --local --query [].name"):
        found.az(f"az ml online-endpoint delete --local -n {name} --yes")
