"""What happened, told from two looks."""

import itertools
from types import SimpleNamespace

from lazulite.telemetry.events import differences, look


def looked(**changes):
    values = {
        "name": "blue",
        "generation": 1,
        "capacity": 1,
        "environment": None,
        "serving": None,
        "error": None,
        "instances": {},
    }
    return {**values, **changes}


def instance(state="ready", restarts=0, how=None, error=None):
    return {"state": state, "restarts": restarts, "exit": how, "error": error}


def names(before, after):
    return [event.name for event in differences(before, after)]


def test_a_deployment_comes_up():
    seen = [
        None,
        looked(),
        looked(environment="hash"),
        looked(environment="hash", instances={"blue-1-0": instance("starting")}),
        looked(environment="hash", serving="uid-1", instances={"blue-1-0": instance()}),
    ]
    told = [names(*pair) for pair in itertools.pairwise(seen)]
    assert told == [
        ["DeploymentCreated"],
        ["Pulled"],
        ["Created"],
        ["ContainerReady", "DeploymentReady"],
    ]


def test_a_crash_says_how_it_ended_and_why():
    before = looked(instances={"blue-1-0": instance()})
    fallen = instance("backoff", 0, "signal 9", "no memory")
    [crash] = differences(before, looked(instances={"blue-1-0": fallen}))
    assert (crash.name, crash.level, crash.instance) == ("ContainerCrashed", "Error", "blue-1-0")
    assert "signal 9" in crash.message
    assert "no memory" in crash.message
    back = looked(instances={"blue-1-0": instance("ready", 1, "signal 9")})
    assert names(looked(instances={"blue-1-0": fallen}), back) == [
        "ContainerRestarted",
        "ContainerReady",
    ]


def test_a_crash_and_a_restart_between_two_looks_are_both_told():
    before = looked(instances={"blue-1-0": instance()})
    after = looked(instances={"blue-1-0": instance("ready", 1, "exit code 1")})
    assert names(before, after) == ["ContainerCrashed", "ContainerRestarted", "ContainerReady"]


def test_a_crash_loop_and_a_failing_probe_are_told_once():
    before = looked(instances={"blue-1-0": instance("backoff", 3)})
    looping = looked(instances={"blue-1-0": instance("crash-loop", 3)})
    assert names(before, looping) == ["CrashLoopBackOff"]
    assert names(looping, looping) == []
    unready = looked(instances={"blue-1-0": instance("unready", error="The probe fails")})
    [event] = differences(looked(instances={"blue-1-0": instance()}), unready)
    assert (event.name, event.message) == ("ContainerUnhealthy", "The probe fails")


def test_changes_of_a_deployment():
    before = looked(capacity=1, serving="uid-1", instances={"blue-1-0": instance()})
    after = looked(capacity=3, generation=2, serving="uid-1", instances={})
    assert names(before, after) == ["DeploymentScaled", "DeploymentUpdated", "Killed"]
    assert names(before, {**before, "error": "bad script"}) == ["DeploymentFailed"]
    assert names(before, None) == ["DeploymentDeleted"]
    assert names(before, before) == []


def test_a_deployment_that_falls_asleep_has_no_instance():
    def serving(instances):
        seen = {"serving": {"instances": instances, "task": "uid-1"}}
        row = {"name": "blue", "generation": 1, "error": None, "observed": seen}
        return look(SimpleNamespace(envelope={"sku": {"capacity": 3}}, **row), {})

    [scaled] = differences(serving(1), serving(0))
    assert (scaled.name, scaled.message) == ("DeploymentScaled", "From 1 to 0 instances.")
