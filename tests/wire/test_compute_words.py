"""`ml compute`, as it is typed, on a server."""

import json

import pytest

from tests.wire.shell import Shell


@pytest.fixture
def shell(server, tmp_path):
    return Shell(server, tmp_path)


def test_an_instance_stops_and_starts(shell):
    made = json.loads(shell.az(
        "az ml compute create -n wordy-one --type ComputeInstance --size Standard_DS3_v2"
        " --idle-time-before-shutdown-minutes 30"
    ))  # fmt: skip
    assert (made["type"], made["state"]) == ("computeinstance", "Running")
    assert made["idle_time_before_shutdown_minutes"] == 30
    assert json.loads(shell.az("az ml compute stop -n wordy-one --query state")) == "Stopped"
    assert json.loads(shell.az("az ml compute start -n wordy-one --query state")) == "Running"
    shell.az("az ml compute restart -n wordy-one --no-wait")
    shell.az("az ml compute update -n wordy-one --set tags.a=b")
    shell.az("az ml compute delete -n wordy-one --yes")
    assert shell.run("az ml compute start -n wordy-one")[0] == 3


def test_what_is_elsewhere_is_attached_and_detached(shell):
    shell.write("k8s.yml", "name: k8s\ntype: kubernetes\nresource_id: /x/y\nnamespace: ml\n")
    said = shell.refused("az ml compute create -f k8s.yml")
    assert "k8s.yml:2:1: type: a kubernetes cannot be made here" in said
    made = json.loads(shell.az("az ml compute attach -f k8s.yml"))
    assert (made["namespace"], made["resource_id"]) == ("ml", "/x/y")
    assert "must be Detach" in shell.refused("az ml compute delete -n k8s --yes")
    shell.az("az ml compute detach -n k8s --yes")
    assert "is one of" in shell.refused("az ml compute attach -n c --type AmlCompute")


def test_sizes_and_usage_are_those_of_the_machine(shell):
    sizes = json.loads(shell.az("az ml compute list-sizes --type ComputeInstance"))
    assert {"name", "v_cpus", "memory_gb"} <= set(sizes[0])
    used = json.loads(shell.az("az ml compute list-usage"))
    assert {"totalDedicatedCores", "totalMemoryGB"} == {each["name"] for each in used}
    assert all(each["limit"] > 0 for each in used)
