"""execution/v1.0: what startrun takes and what it refuses."""

import io
import json
import zipfile

import pytest

from tests.dataplane.requests import ask

CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 1}}}


def definition(**changes):
    python = {"CondaDependencies": {"dependencies": ["python", {"pip": ["x"]}]}}
    environment = {"Python": python, "EnvironmentVariables": {"A": 1}}
    configuration = {
        "Script": "hello.py",
        "Arguments": ["234", "--data", "$AZUREML_DATAREFERENCE_d/x", "two words"],
        "Target": "cpu",
        "MaxRunDurationSeconds": 1200,
        "DataReferences": {"d": {"DataStoreName": "workspaceblobstore", "PathOnDataStore": "/in"}},
        "Environment": environment,
        **changes,
    }
    return {"Configuration": configuration}


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as found:
        for name, text in (files or {"hello.py": "print(1)"}).items():
            found.writestr(name, text)
    return content.getvalue()


@pytest.fixture
async def start(plane):
    """Starts a run as the article of 2020 does."""
    await plane.put("/computes/cpu", CLUSTER)

    async def send(given=None, archive=None, experiment="exp", **query):
        given = definition() if given is None else given
        files = {
            "projectZipFile": ("train.zip", zipped() if archive is None else archive),
            "runDefinitionFile": ("definition.json", json.dumps(given)),
        }
        path = f"/execution/v1.0{plane.workspace}/experiments/{experiment}/startrun"
        sent = {"authorization": f"Bearer {plane.bearer}"}
        return await plane.client.post(path, files=files, headers=sent, params=query)

    return send


async def test_a_run_becomes_code_environment_and_command_job(start, plane):
    answer = await start(**{"api-version": "2019-11-01"})
    assert answer.status_code == 200, answer.text
    run = answer.json()["runId"]
    assert run.startswith("exp_")
    assert run.removeprefix("exp_").isdigit()
    job = (await plane.call("GET", f"/jobs/{run}", api="2023-10-01")).json()["properties"]
    assert job["command"] == "python hello.py 234 --data '${{inputs.d}}/x' 'two words'"
    assert job["inputs"]["d"]["uri"] == "azureml://datastores/workspaceblobstore/paths/in"
    assert job["limits"]["timeout"] == "PT1200S"
    assert job["environmentVariables"] == {"A": "1"}
    environment = (await plane.call("GET", job["environmentId"])).json()["properties"]
    assert json.loads(environment["condaFile"])["dependencies"] == ["python", {"pip": ["x"]}]
    code = (await plane.call("GET", job["codeId"])).json()["properties"]
    assert code["codeUri"].endswith(job["properties"]["ContentSnapshotId"])
    history = f"/history/v1.0{plane.workspace}/experiments/exp/runs/{run}"
    shown = (await ask(plane, "GET", history)).json()
    assert (shown["scriptName"], shown["target"]) == ("hello.py", "cpu")


async def test_two_runs_at_once_have_two_ids_and_one_snapshot(start, plane):
    runs = [(await start()).json()["runId"] for _ in range(2)]
    assert len(set(runs)) == 2
    codes = (await plane.call("GET", "/codes")).json()["value"]
    assert len(codes) == 1


async def test_a_run_id_of_the_callers_own_is_taken_once(start):
    assert (await start(runId="mine")).json() == {"runId": "mine"}
    assert (await start(runId="mine")).status_code == 409
    assert (await start(runId="a/b")).status_code == 400


async def test_an_earlier_snapshot_is_run_again(start, plane):
    run = (await start()).json()["runId"]
    job = (await plane.call("GET", f"/jobs/{run}", api="2023-10-01")).json()["properties"]
    snapshot = job["properties"]["ContentSnapshotId"]
    path = f"/execution/v1.0{plane.workspace}/experiments/other/snapshotrun"
    again = await ask(plane, "POST", path, {**definition(), "SnapshotId": snapshot}, runId="again")
    assert again.json() == {"runId": "again"}
    missing = await ask(plane, "POST", path, {**definition(), "snapshotId": "none"})
    assert missing.status_code == 404


async def test_a_registered_environment_is_used_by_its_name(start, plane):
    given = definition(Environment={"name": "env", "version": "3"})
    run = (await start(given)).json()["runId"]
    job = (await plane.call("GET", f"/jobs/{run}")).json()["properties"]
    assert job["environmentId"] == "azureml:env:3"


REFUSED = [
    ({"Target": "nope"}, 400, "nope"),
    ({"Target": ""}, 400, "target"),
    ({"Script": "other.py"}, 400, "hello.py"),
    ({"Script": "../../../etc/passwd"}, 400, "no file"),
    ({"Framework": "PySpark"}, 501, "PySpark"),
    ({"Communicator": "Mpi"}, 501, "Mpi"),
    ({"NodeCount": 2}, 501, "NodeCount"),
    ({"Environment": {"Docker": {"BaseDockerfile": "FROM x"}}}, 501, "CondaDependencies"),
]


async def test_what_cannot_run_is_refused_and_nothing_is_kept(start, plane):
    for changes, status, told in REFUSED:
        answer = await start(definition(**changes))
        assert (answer.status_code, told in answer.text) == (status, True), answer.text
    for archive, experiment, status in (
        (b"no zip", "exp", 400),
        (zipped(**{"../hello.py": "1"}), "exp", 400),
        (zipped(**{"folder/hello.py": "1"}), "exp", 400),
        (zipped(), "a*b", 400),
    ):
        assert (await start(archive=archive, experiment=experiment)).status_code == status
    assert (await start({"Configuration": {}})).status_code == 400
    assert (await plane.call("GET", "/jobs")).json()["value"] == []
    snapshots = list((plane.base.settings.data_dir / "blobs").glob("*/*/snapshots/.*"))
    assert snapshots == []


async def test_a_form_without_its_parts_is_refused(plane):
    path = f"/execution/v1.0{plane.workspace}/experiments/exp/startrun"
    sent = {"authorization": f"Bearer {plane.bearer}"}
    answer = await plane.client.post(path, files={"zip": b"x"}, headers=sent)
    assert answer.status_code == 400
    assert "projectZipFile and runDefinitionFile" in answer.json()["error"]["message"]
    assert (await ask(plane, "POST", path, {})).status_code == 415


async def test_a_waiting_run_is_cancelled(start, plane):
    run = (await start()).json()["runId"]
    path = f"/execution/v1.0{plane.workspace}/experiments/exp/runId/{run}/cancel"
    assert (await ask(plane, "POST", path)).json() == {"runId": run}
    await plane.settle_kinds("/jobs")
    shown = await ask(plane, "GET", f"/history/v1.0{plane.workspace}/runs/{run}")
    assert shown.json()["status"] == "Canceled"


async def test_a_run_on_the_callers_machine_is_not_wrapped(plane):
    path = f"/execution/v1.0{plane.workspace}/experiments/exp/startlocalrun"
    answer = await ask(plane, "POST", path, {})
    assert answer.status_code == 501
    assert answer.json()["error"]["innerError"]["code"] == "NotImplemented"
