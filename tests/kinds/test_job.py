"""workspaces/jobs: what PUT takes, shows and refuses."""

import pytest

CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 1}}}
COMMAND = {
    "jobType": "command",
    "command": "python a.py ${{inputs.lr}}",
    "environmentId": "azureml:env:1",
    "computeId": "azureml:cpu",
    "experimentName": "exp",
    "inputs": {"lr": {"jobInputType": "Literal", "value": 0.1}},
    "outputs": {"model": {"jobOutputType": "UriFolder"}},
    "limits": {"timeout": "PT1M"},
}


@pytest.fixture
async def jobs(plane):
    """Writes and reads jobs of a workspace with a cluster."""
    assert (await plane.put("/computes/cpu", CLUSTER)).status_code == 201

    async def send(method, name, properties=None, api="2023-10-01", **query):
        body = None if properties is None else {"properties": properties}
        return await plane.call(method, f"/jobs/{name}", body, api=api, **query)

    return send


async def test_a_command_job_is_shown_with_what_the_server_adds(jobs, plane):
    answer = await jobs("PUT", "j", COMMAND)
    assert answer.status_code == 201, answer.text
    shown = answer.json()["properties"]
    assert shown["jobType"] == "Command"
    assert shown["status"] == "NotStarted"
    assert shown["computeId"] == f"{plane.workspace}/computes/cpu"
    assert shown["services"].keys() == {"Studio", "Tracking"}
    assert shown["tags"] == shown["properties"] == {}
    assert shown["outputs"]["model"]["uri"].endswith("/paths/azureml/j/model")
    assert shown["parameters"] == {"lr": "0.1"}
    assert not {"cancelRequested", "runDefinition", "warnings", "trial"} & shown.keys()


async def test_the_same_again_changes_nothing_and_tags_may_change(jobs):
    first = await jobs("PUT", "j", COMMAND)
    again = await jobs("PUT", "j", COMMAND)
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    tagged = await jobs("PUT", "j", {**COMMAND, "tags": {"a": "b"}, "isArchived": True})
    assert tagged.json()["properties"]["tags"] == {"a": "b"}
    assert tagged.json()["properties"]["isArchived"] is True


async def test_what_runs_does_not_change(jobs):
    await jobs("PUT", "j", COMMAND)
    answer = await jobs("PUT", "j", {**COMMAND, "command": "rm -rf /"})
    assert (answer.status_code, answer.json()["error"]["target"]) == (409, "command")


async def test_a_job_of_the_preview_is_the_same_job(jobs):
    preview = {
        "jobType": "Command",
        "command": "python a.py --data $AZURE_ML_INPUT_d",
        "environmentId": "azureml:env:1",
        "compute": {"target": "cpu", "instanceCount": 1},
        "inputDataBindings": {"d": {"dataId": "azureml:data:1", "mode": "Mount"}},
        "timeout": "PT5M",
        "experimentName": "exp",
    }
    answer = await jobs("PUT", "j", preview, api="2021-03-01-preview")
    assert answer.status_code == 201, answer.text
    shown = answer.json()["properties"]
    assert shown["compute"]["target"].endswith("/computes/cpu")
    assert shown["inputDataBindings"] == {
        "d": {"dataId": "azureml:data:1", "mode": "ReadOnlyMount"}
    }
    assert (shown["timeout"], shown["provisioningState"]) == ("PT5M", "InProgress")
    assert "Studio" in shown["interactionEndpoints"]
    newer = (await jobs("GET", "j")).json()["properties"]
    assert newer["inputs"]["d"]["jobInputType"] == "uri_folder"
    assert newer["limits"]["timeout"] == "PT5M"
    first = (await jobs("GET", "j", api="2021-10-01")).json()["properties"]
    assert first["inputs"]["d"]["jobInputType"] == "Uri"
    assert first["inputs"]["d"]["uri"]["folder"] == "azureml:data:1"


SWEEP = {
    "jobType": "Sweep",
    "objective": {"goal": "minimize", "primaryMetric": "loss"},
    "samplingAlgorithm": {"samplingAlgorithmType": "Random"},
    "searchSpace": {"lr": ["uniform", [0, 1]]},
    "trial": {"command": "python a.py", "environmentId": "azureml:env:1"},
}


REFUSED = [
    ({}, 400, "jobType"),
    ({"jobType": "Command"}, 400, "command, environmentId, computeId"),
    ({**COMMAND, "computeId": "azureml:nope"}, 400, "azureml:nope"),
    ({**COMMAND, "experimentName": "a/b"}, 400, "experiment"),
    ({**COMMAND, "inputs": {"x": {"jobInputType": "uri_file"}}}, 400, "uri"),
    ({**COMMAND, "limits": {"timeout": "1 minute"}}, 400, "1 minute"),
    ({**COMMAND, "resources": {"instanceCount": 2}}, 501, "one node"),
    ({**COMMAND, "distribution": {"distributionType": "mpi",
                                  "processCountPerInstance": 2}}, 501, "one process"),
    (SWEEP, 501, "Sweep"),
    ({**SWEEP, "objective": None}, 400, "objective"),
    ({**SWEEP, "objective": {"goal": "sideways", "primaryMetric": "x"}}, 400, "Minimize"),
    ({"jobType": "pipeline", "jobs": {}}, 501, "each step"),
    ({"jobType": "AutoML", "taskDetails": {"taskType": "Regression"}}, 501, "AutoML"),
    ({"jobType": "Spark"}, 400, "entry"),
    ({"jobType": "Labeling"}, 400, "labelingJobMediaProperties"),
]  # fmt: skip


async def test_what_cannot_run_is_refused_with_the_reason(jobs):
    for properties, status, told in REFUSED:
        answer = await jobs("PUT", "j", properties)
        assert (answer.status_code, told in answer.text) == (status, True), answer.text
        assert (await jobs("GET", "j")).status_code == 404


async def test_a_job_that_waits_is_cancelled_and_only_then_deleted(jobs, plane):
    await jobs("PUT", "j", COMMAND)
    assert (await jobs("DELETE", "j")).status_code == 409
    assert (await jobs("POST", "j/cancel")).status_code == 200
    assert (await jobs("GET", "j")).json()["properties"]["status"] == "CancelRequested"
    await plane.settle_kinds("/jobs")
    assert (await jobs("GET", "j")).json()["properties"]["status"] == "Canceled"
    assert (await jobs("DELETE", "j")).status_code == 202
    await plane.settle_kinds("/jobs")
    assert (await jobs("GET", "j")).status_code == 404


async def test_a_command_job_cannot_be_paused(jobs):
    await jobs("PUT", "j", COMMAND)
    answer = await jobs("POST", "j/pause")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PauseNotSupported")
    assert "cancel it instead" in answer.json()["error"]["message"].lower()


async def test_a_reference_that_leads_nowhere_fails_the_job(jobs, plane):
    await jobs("PUT", "j", COMMAND)
    await plane.settle_kinds("/jobs")
    shown = (await jobs("GET", "j")).json()["properties"]
    assert (shown["status"], shown["error"]["code"]) == ("Failed", "ReferencedResourceNotFound")


async def test_a_job_makes_its_experiment(jobs, plane):
    await jobs("PUT", "j", COMMAND)
    await plane.settle_kinds("/jobs")
    found = (await plane.call("GET", "/experiments/exp")).json()
    assert found["properties"]["latestCreatedRunId"] == "j"
