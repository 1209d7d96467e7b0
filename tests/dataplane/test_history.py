"""history/v1.0: experiments and runs, their tags, metrics, events and artifacts."""

import json

import pytest

from tests.dataplane.requests import ask

CLUSTER = {"computeType": "AmlCompute", "properties": {"scaleSettings": {"maxNodeCount": 1}}}
JOB = {
    "jobType": "Command",
    "command": "true",
    "environmentId": "azureml:env:1",
    "computeId": "cpu",
    "experimentName": "exp",
}


@pytest.fixture
async def history(plane):
    """Asks run history below the workspace."""

    async def send(method, path, body=None, **given):
        prefix = f"/history/v1.0{plane.workspace}/"
        return await ask(plane, method, prefix + path, body, **given)

    return send


@pytest.fixture
async def job(plane):
    """A job of the experiment exp that cannot run and has failed."""
    await plane.put("/computes/cpu", CLUSTER)
    assert (await plane.put("/jobs/j", JOB)).status_code == 201
    await plane.settle_kinds("/jobs")
    return "j"


async def test_experiments_are_made_listed_changed_and_archived(history):
    made = (await history("POST", "experiments/One")).json()
    assert (await history("POST", "experiments/one")).json() == made
    await history("POST", "experiments/two")
    assert (await history("GET", "experiments/ONE")).json() == made
    by_id = f"experimentids/{made['experimentId']}"
    changed = await history("PATCH", by_id, {"description": "d", "tags": {"a": "1", "b": "2"}})
    assert changed.json()["tags"] == {"a": "1", "b": "2"}
    assert (await history("DELETE", f"{by_id}/tags", {"tags": ["a"]})).json()["tags"] == {"b": "2"}
    listed = (await history("GET", "experiments", **{"api-version": "2019-11-01"})).json()
    assert [one["name"] for one in listed["value"]] == ["One", "two"]
    archived = (await history("PATCH", by_id, {"archive": True})).json()
    assert archived["archivedTime"]
    queried = await history("POST", "experiments:query", {"viewType": "ActiveOnly"})
    assert [one["name"] for one in queried.json()["value"]] == ["two"]
    every = await history(
        "POST", "experiments:query", {"viewType": "All", "filter": "name eq 'ONE'"}
    )
    assert [one["name"] for one in every.json()["value"]] == ["One"]


async def test_experiments_come_in_pages(history):
    for number in range(3):
        await history("POST", f"experiments/e{number}")
    first = (await history("POST", "experiments:query", {"top": 2})).json()
    assert [one["name"] for one in first["value"]] == ["e0", "e1"]
    query = {"top": 2, "continuationToken": first["continuationToken"]}
    second = (await history("POST", "experiments:query", query)).json()
    assert [one["name"] for one in second["value"]] == ["e2"]
    assert second["continuationToken"] is second["nextLink"] is None


async def test_what_is_not_there_is_a_user_error(history, plane):
    for path in ("experiments/none", "experimentids/0", "runs/none", "experiments/x/runs/none"):
        answer = await history("GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "UserError")
    cluster = (await plane.put("/computes/cpu", CLUSTER)).json()["name"]
    row = await plane.base.resources.find(f"{plane.workspace}/computes/{cluster}")
    assert (await history("GET", f"experimentids/{row.uid}")).status_code == 404


async def test_a_job_is_a_run(history, job):
    run = (await history("GET", f"experiments/exp/runs/{job}")).json()
    experiment = (await history("GET", "experiments/exp")).json()
    assert run["runId"] == run["rootRunId"] == "j"
    assert run["experimentId"] == experiment["experimentId"]
    assert experiment["latestCreatedRunId"] == "j"
    assert (run["status"], run["target"]) == ("Failed", "cpu")
    assert run["error"]["error"]["innerError"]["code"] == "ReferencedResourceNotFound"
    assert (await history("GET", f"runs/{job}")).json() == run
    details = (await history("GET", f"runs/{job}/details")).json()
    assert details["status"] == "Failed"
    assert details["logFiles"] == {}
    assert (await history("GET", f"experiments/other/runs/{job}")).status_code == 404


async def test_a_client_changes_what_is_its_own_of_a_run(history, job, plane):
    change = {"displayName": "better", "tags": {"a": "b"}, "hidden": True, "status": "Completed"}
    answer = await history("PATCH", f"experiments/exp/runs/{job}", change)
    assert answer.status_code == 200
    shown = (await plane.call("GET", f"/jobs/{job}", api="2023-10-01")).json()["properties"]
    assert (shown["displayName"], shown["tags"], shown["isArchived"]) == (
        "better",
        {"a": "b"},
        True,
    )
    assert shown["status"] == "Failed"
    await history("PATCH", f"experiments/exp/runs/{job}", {"hidden": False})
    await history("PATCH", f"runs/{job}/tags", {"tagsToModify": {"c": "d"}, "tagsToDelete": ["a"]})
    assert (await history("GET", f"runs/{job}")).json()["tags"] == {"c": "d"}
    assert (await history("DELETE", f"runs/{job}/tags", ["c"])).json()["tags"] == {}


async def test_a_run_of_the_clients_own_goes_as_the_client_says(history, plane):
    run = "experiments/mine/runs/local-1"
    made = await history("PATCH", run, {"name": "mine", "runType": "interactive", "tags": {}})
    assert (made.json()["rootRunId"], made.json()["status"]) == ("local-1", "NotStarted")
    for event, status in (("Start", "Running"), ("Completed", "Completed")):
        name = f"Microsoft.MachineLearning.Run.{event}"
        assert (await history("POST", f"{run}/events", {"name": name})).status_code == 200
        assert (await history("GET", run)).json()["status"] == status
    ended = (await history("GET", run)).json()
    assert ended["startTimeUtc"]
    assert ended["endTimeUtc"]
    late = {"name": "Microsoft.MachineLearning.Run.Start"}
    await history("POST", f"{run}/events", late)
    assert (await history("GET", run)).json() == ended
    child = {"parentRunId": "local-1"}
    await history("PATCH", "experiments/mine/runs/local-2", child)
    children = (await history("GET", f"{run}/children")).json()["value"]
    assert [one["runId"] for one in children] == ["local-2"]
    cancelled = await history("POST", "experiments/mine/runs/local-2/cancel")
    assert cancelled.json()["status"] == "Canceled"
    assert (await history("PATCH", "experiments/mine/runs/a*b", {})).status_code == 400
    assert (await history("PATCH", "experiments/exp/runs/local-1", {})).status_code == 409
    shown = (await plane.call("GET", "/jobs/local-1", api="2021-10-01")).json()["properties"]
    assert (shown["jobType"], shown["status"]) == ("Base", "Completed")
    assert (await plane.call("DELETE", "/jobs/local-1")).status_code == 202


async def test_runs_are_queried_the_newest_first(history):
    for number in range(3):
        await history("PATCH", f"experiments/q/runs/r{number}", {"tags": {"n": str(number)}})
    found = (await history("POST", "experiments/q/runs:query", {"top": 2})).json()
    assert [run["runId"] for run in found["value"]] == ["r2", "r1"]
    query = {"filter": "tags/n ne '1'", "orderBy": "runId asc"}
    found = (await history("POST", "experiments/q/runs:query", query)).json()
    assert [run["runId"] for run in found["value"]] == ["r0", "r2"]
    refused = await history("POST", "experiments/q/runs:query", {"filter": "tags/n eq"})
    assert refused.status_code == 400


async def test_several_runs_at_once_each_for_itself(history):
    runs = [{"runId": "m1", "status": "Running"}, {"runId": "m*2"}]
    answer = (await history("PATCH", "experiments/m/batch/runs", {"runs": runs})).json()
    assert answer["runs"].keys() == {"m1"}
    assert answer["errors"].keys() == {"m*2"}
    named = await history("POST", "experiments/m/runs/runIds", {"runIds": ["m1", "none"]})
    assert named.json()["runs"]["m1"]["status"] == "Running"
    assert named.json()["errors"].keys() == {"none"}
    data = await history("POST", "rundata", {"runId": "m1", "selectRunMetadata": True})
    assert data.json()["runMetadata"]["runId"] == "m1"
    events = [{"runId": "m1", "name": "x.Completed"}, {"runId": "none", "name": "x.Completed"}]
    told = await history("POST", "experiments/m/batch/events", {"events": events})
    assert [error["key"]["runId"] for error in told.json()["errors"]] == ["none"]
    assert (await history("GET", "runs/m1")).json()["status"] == "Completed"


async def test_metrics_come_back_in_order_and_only_once(history, job):
    first = {
        "metricId": "0f0e0d0c-0000-4000-8000-000000000001",
        "name": "loss",
        "metricType": "azureml.v1.scalar",
        "cells": [{"loss": 0.5}],
    }
    many = {"values": [first, {"name": "acc", "cells": [{"acc": 1}, {"acc": 2}]}]}
    run = f"experiments/exp/runs/{job}"
    assert (await history("POST", f"{run}/metrics", first)).status_code == 200
    assert (await history("POST", f"{run}/batch/metrics", many)).status_code == 200
    found = (await history("POST", "experiments/exp/metrics:query", {})).json()["value"]
    assert [(one["name"], one["numCells"]) for one in found] == [("loss", 1), ("acc", 2)]
    assert {one["runId"] for one in found} == {job}
    query = {"filter": f"RunId eq '{job}' and name eq 'ACC'", "top": 1}
    found = (await history("POST", "experiments/exp/metrics:query", query)).json()["value"]
    assert found[0]["cells"] == [{"acc": 1}, {"acc": 2}]
    one = await history("GET", f"experiments/exp/metrics/{first['metricId']}")
    assert one.json()["metricType"] == "azureml.v1.scalar"
    assert (await history("GET", "experiments/x/metrics/" + first["metricId"])).status_code == 404
    for wrong in ({"name": ""}, {"metricId": "x", "name": "a"}):
        assert (await history("POST", f"{run}/metrics", wrong)).status_code == 400


async def test_metrics_go_with_their_run(history, job, plane):
    await history("POST", f"experiments/exp/runs/{job}/metrics", {"name": "a"})
    await plane.call("DELETE", f"/jobs/{job}")
    await plane.settle_kinds("/jobs")
    await plane.put(f"/jobs/{job}", JOB)
    assert (await history("POST", "experiments/exp/metrics:query", {})).json()["value"] == []


async def test_artifacts_are_listed_and_their_urls_open_without_a_token(history, job, plane):
    blobs = plane.base.settings.data_dir / "blobs"
    (account,) = [path for path in blobs.glob("[!.]*") if path.is_dir()]
    folder = account / "azureml" / "ExperimentRun" / f"dcid.{job}"
    (folder / "outputs").mkdir(parents=True)
    (folder / "outputs" / "ä b.txt").write_text("content")
    (folder / "outputs" / "leak").symlink_to("/etc/passwd")
    (folder / "user_logs").mkdir()
    (folder / "user_logs" / "std_log.txt").write_text("said")
    of = f"experiments/exp/runs/{job}/artifacts"
    listed = (await history("GET", of)).json()["value"]
    assert [one["path"] for one in listed] == ["outputs/ä b.txt", "user_logs/std_log.txt"]
    below = (await history("GET", f"{of}/path?path=user_logs/")).json()["value"]
    assert [one["path"] for one in below] == ["user_logs/std_log.txt"]
    for path in ("contentinfo?path=outputs/ä b.txt", "contentinfo/outputs/ä b.txt"):
        info = (await history("GET", f"{of}/{path}")).json()
        assert (await plane.client.get(info["contentUri"])).text == "content"
    logs = (await history("GET", f"runs/{job}/details")).json()["logFiles"]
    assert logs.keys() == {"user_logs/std_log.txt"}
    assert (await plane.client.get(logs["user_logs/std_log.txt"])).text == "said"
    prefixed = (await history("GET", f"{of}/prefix/contentinfo/user_logs")).json()["value"]
    assert len(prefixed) == 1
    paths = {"paths": [{"path": "user_logs/std_log.txt"}, {"path": "../../x"}]}
    several = (await history("POST", f"{of}/batch/metadata", paths)).json()
    assert several["artifacts"].keys() == {"user_logs/std_log.txt"}
    assert several["errors"].keys() == {"../../x"}
    uri = (await history("GET", f"{of}/artifacturi?path=outputs/m")).json()
    assert uri.endswith(f"/ExperimentRun/dcid.{job}/outputs/m")
    for path in ("outputs/leak", "../dcid.other/x", "/etc/passwd"):
        assert (await history("GET", f"{of}/metadata?path={path}")).status_code in {400, 404}


async def test_bodies_of_the_wrong_shape_are_refused(history, job):
    for method, path, body in (
        ("POST", "experiments:query", "[]"),
        ("POST", "experiments:query", '{"top": 0}'),
        ("PATCH", f"experiments/exp/runs/{job}", '{"tags": 1}'),
        ("DELETE", f"runs/{job}/tags", "7"),
        ("POST", "rundata", "{}"),
        ("POST", f"runs/{job}/events", "{}"),
    ):
        answer = await history(method, path, body)
        assert answer.status_code == 400, (path, answer.text)
        assert json.loads(answer.text)["error"]["code"] == "UserError"
