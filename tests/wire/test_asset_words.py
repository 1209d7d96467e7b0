"""Components, schedules, and what can be asked of any asset, as it is typed, on a server."""

import json

import pytest

from tests.wire.shell import Shell

ENVIRONMENT = "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest"
COMPONENT = f"""
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: wordy
type: command
display_name: Train
code: ./code
environment: {ENVIRONMENT}
inputs:
  myData: {{type: uri_folder}}
command: python train.py
"""
PIPELINE = """
name: wordy_pipe
type: pipeline
jobs:
  one: {type: command, component: ./component.yml}
  two: {type: command, component: "azureml:wordy@latest"}
"""
JOB = f"""
command: echo hello
environment: {ENVIRONMENT}
compute: azureml:wordy
inputs: {{myData: {{type: uri_folder, path: ./code}}}}
"""
SCHEDULE = """
name: wordy
display_name: Every night
trigger:
  type: recurrence
  frequency: day
  interval: 1
  schedule: {hours: [4, 5], minutes: 0}
  time_zone: Pacific Standard Time
create_job: ./job.yml
"""


@pytest.fixture
def shell(server, tmp_path):
    found = Shell(server, tmp_path)
    found.write("code/train.py", "print()")
    return found


def test_components_are_registered_with_their_code(shell):
    shell.write("component.yml", COMPONENT)
    shell.write("pipe.yml", PIPELINE)
    made = json.loads(shell.az("az ml component create -f component.yml"))
    assert (made["version"], made["inputs"]) == ("1", {"myData": {"type": "uri_folder"}})
    assert "/codes/" in made["code"]
    pipe = json.loads(shell.az("az ml component create -f pipe.yml --version 7"))
    one, two = (pipe["jobs"][name]["component"] for name in ("one", "two"))
    assert ("/components/azureml_anonymous/" in one, two) == (True, made["id"])
    assert "wordy_pipe" in shell.az("az ml component list -o table")
    shell.write("pipe.yml", PIPELINE.replace("wordy@latest", "none:1"))
    said = shell.refused("az ml component create -f pipe.yml")
    assert "pipe.yml:6:24: jobs.two.component: 'azureml:none:1' is not registered" in said
    shell.az("az ml component delete -n wordy_pipe --version 7 --yes")
    assert shell.run("az ml component show -n wordy_pipe --version 7")[0] == 3


def test_assets_are_changed_archived_and_restored(shell):
    shell.write("component.yml", COMPONENT.replace("name: wordy", "name: shelf"))
    shell.write("d.yml", "paths: [{file: https://host/a.csv}]\n")
    for noun, options in {
        "model": "--path code --stage Production",
        "data": "--path code --type uri_folder",
        "dataset": "-f d.yml",
        "component": "-f component.yml",
    }.items():
        name = f"shelved-{noun}"
        shell.az(f"az ml {noun} create -n {name} --version v1 {options} --tags a=b")
        shell.az(f"az ml {noun} update -n {name} --version v1 --set tags.c=1")
        line = f"az ml {noun} update -n {name} --label latest --remove tags.a --description it"
        changed = json.loads(shell.az(line))
        assert (changed["tags"], changed["description"]) == ({"c": "1"}, "it")
        listed = f"az ml {noun} list --query [].name"
        shell.az(f"az ml {noun} archive -n {name}")
        assert name not in json.loads(shell.az(listed))
        assert name in json.loads(shell.az(f"{listed} --archived-only"))
        shell.az(f"az ml {noun} restore -n {name}")
        assert name in json.loads(shell.az(f"{listed} --max-results 50"))
    assert json.loads(shell.az("az ml model show -n shelved-model --query stage")) == "Production"


def test_a_schedule_is_made_changed_and_rests(shell):
    shell.write("job.yml", JOB)
    shell.write("nightly.yml", SCHEDULE)
    shell.az("az ml compute create -n wordy --type AmlCompute --max-instances 1")
    assert json.loads(shell.az("az ml job validate -f job.yml")) == {"result": "Succeeded"}
    made = json.loads(shell.az("az ml schedule create -f nightly.yml"))
    assert made["trigger"]["schedule"]["minutes"] == [0]
    assert (made["create_job"]["command"], made["is_enabled"]) == ("echo hello", True)
    assert made["create_job"]["inputs"]["myData"]["uri"].endswith("/code/")
    assert made["next_time"]
    line = "az ml schedule update -n wordy --set trigger.schedule.hours=[3] --description later"
    changed = json.loads(shell.az(line))
    assert (changed["trigger"]["schedule"]["hours"], changed["description"]) == ([3], "later")
    assert (changed["create_job"], changed["display_name"]) == (made["create_job"], "Every night")
    shell.az("az ml schedule disable -n wordy")
    assert "wordy" not in shell.az("az ml schedule list -o table")
    assert "wordy" in shell.az("az ml schedule list --disabled-only -o table")
    assert json.loads(shell.az("az ml schedule enable -n wordy --query is_enabled")) is True
    shell.az("az ml schedule delete -n wordy --yes")
    assert shell.run("az ml schedule show -n wordy")[0] == 3


def test_a_wrong_schedule_is_told_with_its_place(shell):
    shell.write("s.yml", "name: s\ntrigger: {type: cron}\ncreate_job: ./job.yml\n")
    assert "s.yml:2:1: trigger: a cron trigger needs a `expression`" in shell.refused(
        "az ml schedule create -f s.yml"
    )
    shell.write("s.yml", 'name: s\ntrigger: {type: cron, expression: "0 4 * *"}\n')
    assert "a schedule needs a `create_job`" in shell.refused("az ml schedule create -f s.yml")
    shell.write("job.yml", "type: pipeline\njobs: {}\n")
    said = shell.refused("az ml schedule create -f s.yml --set create_job=./job.yml")
    assert "job.yml:1:1: type: jobs of type 'pipeline' cannot be run here" in said
