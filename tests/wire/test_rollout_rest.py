"""A safe rollout over REST: a second deployment, traffic shifted by PATCH, one deleted."""

import collections

import pytest

from tests.live import wait_for
from tests.wire.script import Script

FIRST = "def init():\n    pass\ndef run(data):\n    return 'blue'\n"
SECOND = FIRST.replace("blue", "green")


@pytest.mark.parametrize("api", ["2021-03-01-preview", "2021-10-01"])
def test_traffic_moves_from_blue_to_green(server, api):
    script = Script(server, api)
    name = "rollout-old" if script.is_old else "rollout-new"
    path = f"/onlineEndpoints/{name}"
    server.deploy(name, FIRST)
    server.deploy(name, SECOND, deployment="green")
    shift(script, path, '{ "blue": 50, "green": "50" }')
    wait_for(lambda: len(answers(server, name, 20)) == 2)

    shift(script, path, '{ "blue": 0, "green": 100, }')
    wait_for(lambda: set(answers(server, name, 5)) == {"green"})
    gone = script.curl("DELETE", f"{path}/deployments/blue")
    script.wait_until_gone(gone, f"{path}/deployments/blue")
    assert set(answers(server, name, 5)) == {"green"}


def shift(script, path, traffic):
    answer = script.curl("PATCH", path, f'{{ "properties": {{ "traffic": {traffic} }} }}')
    assert answer.status_code in {200, 202}, answer.text
    wait_for(lambda: script.server.state_of(path) == "Succeeded")


def answers(server, name, count):
    key = {"authorization": f"Bearer {server.key(name)}"}
    return collections.Counter(server.score(name, **key).json() for _ in range(count))


def test_instances_follow_a_patch_of_the_sku(server):
    script = Script(server, "2021-10-01")
    server.deploy("scaled", FIRST)
    path = "/onlineEndpoints/scaled/deployments/blue"
    answer = script.curl("PATCH", path, '{ "sku": { "capacity": "2" } }')
    assert answer.status_code in {200, 202}, answer.text
    wait_for(lambda: len(script.curl("GET", path).json()["properties"]["replicas"]) == 2)
    assert script.curl("GET", path).json()["sku"] == {"name": "Default", "capacity": 2}


def test_a_model_may_be_files_that_nobody_registered(server):
    """The DataPath reference of 2021-03-01-preview."""
    script = Script(server, "2021-03-01-preview")
    script.upload("unregistered/weights/a.txt", "heavy")
    code = (
        "import os\ndef init():\n    pass\ndef run(data):\n"
        "    root = os.environ['AZUREML_MODEL_DIR']\n"
        "    return open(os.path.join(root, 'weights', 'a.txt')).read()\n"
    )
    store = f"{server.workspace}/datastores/workspaceblobstore"
    model = {"referenceType": "DataPath", "datastoreId": store, "path": "unregistered/weights"}
    server.deploy("unregistered", code, model=model)
    assert server.score("unregistered").json() == "heavy"
