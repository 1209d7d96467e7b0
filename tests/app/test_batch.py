"""Batch endpoints, from PUT to the rows of the output."""

import json

from tests.live import wait_for

NAMES = """
import os
def init():
    pass
def run(mini_batch):
    return [os.path.basename(path) + " " + open(path).read() for path in mini_batch]
"""


def test_every_file_is_scored_once_and_in_order(server):
    server.batch("ordered", NAMES, resources={"instanceCount": 2}, miniBatchSize=7)
    server.files("ordered", 100)
    answer = server.invoke("ordered", "ordered")
    assert answer.status_code == 201, answer.text
    name = answer.json()["name"]
    assert server.ended(name)["status"] == "Completed"
    assert server.rows(name) == [f"{number:04}.txt {number}" for number in range(100)]


def test_the_same_request_id_starts_one_job(server):
    server.batch("twice", NAMES)
    server.files("twice", 3)
    sent = {"repeatability_request-id": "0f0e0d0c-0000-4000-8000-000000000001"}
    first, second = (server.invoke("twice", "twice", sent) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["name"] == second.json()["name"]
    server.ended(first.json()["name"])


def test_a_job_is_seen_at_the_scoring_uri_and_in_arm(server):
    server.batch("seen", NAMES)
    server.files("seen", 2)
    name = server.invoke("seen", "seen").json()["name"]
    server.ended(name)
    url = f"{server.base}/inference/seen/jobs/{name}"
    sent = {"authorization": f"Bearer {server.token('https://ml.azure.com')}"}
    shown = server.http.get(url, headers=sent).json()
    assert shown["properties"]["status"] == "Completed"
    assert shown["properties"]["provisioningState"] == "Succeeded"
    listed = server.call("GET", "/jobs").json()["value"]
    assert name in {job["name"] for job in listed}


def test_settings_of_the_invocation_win(server):
    server.batch("override", "def init():\n    pass\ndef run(b):\n    return [len(b)] * len(b)\n")
    server.files("override", 10)
    answer = server.invoke("override", "override", miniBatchSize="4", outputFileName="mine.csv")
    name = answer.json()["name"]
    assert server.ended(name)["status"] == "Completed", server.job(name)
    folder = server.job(name)["outputs"]["score"]["uri"].partition("/paths/")[2]
    lines = (server.blobs / folder / "mine.csv").read_text().splitlines()
    assert lines == ["4"] * 8 + ["2"] * 2


def test_a_run_that_raises_fails_its_files_only(server):
    script = NAMES.replace("    return", "    if '0003.txt' in mini_batch[0]: 1 / 0\n    return")
    server.batch("partly", script, miniBatchSize=1, retrySettings={"maxRetries": 1})
    server.files("partly", 6)
    name = server.invoke("partly", "partly").json()["name"]
    job = server.ended(name)
    assert job["status"] == "Completed"
    assert job["progress"]["failed_items"] == 1
    assert len(server.rows(name)) == 5


def test_more_failures_than_allowed_fail_the_job_with_the_reason(server):
    server.batch(
        "strict",
        "def init():\n    pass\ndef run(b):\n    raise ValueError('bad pixel')\n",
        errorThreshold=0,
        retrySettings={"maxRetries": 0},
    )
    server.files("strict", 5)
    job = server.ended(server.invoke("strict", "strict").json()["name"])
    assert job["status"] == "Failed"
    assert "bad pixel" in job["error"]["message"]


def test_an_init_that_raises_fails_the_job_with_its_traceback(server):
    server.batch("noinit", "def init():\n    raise OSError('no weights')\ndef run(b):\n    pass\n")
    server.files("noinit", 5)
    job = server.ended(server.invoke("noinit", "noinit").json()["name"])
    assert job["status"] == "Failed"
    assert "no weights" in job["error"]["message"]


def test_a_run_that_hangs_is_killed_and_counted(server):
    script = NAMES.replace(
        "    return", "    import time\n    if '0001' in mini_batch[0]: time.sleep(99)\n    return"
    )
    settings = {"maxRetries": 0, "timeout": "PT1S"}
    server.batch("hangs", script, miniBatchSize=1, retrySettings=settings)
    server.files("hangs", 4)
    name = server.invoke("hangs", "hangs").json()["name"]
    assert server.ended(name)["progress"]["failed_items"] == 1
    assert len(server.rows(name)) == 3


def test_existing_output_is_never_overwritten(server):
    server.batch("again", NAMES)
    server.files("again", 2)
    output = {"datastoreId": "workspaceblobstore", "path": "again-output"}
    first = server.invoke("again", "again", outputDataset=output).json()["name"]
    assert server.ended(first)["status"] == "Completed"
    second = server.ended(server.invoke("again", "again", outputDataset=output).json()["name"])
    assert second["status"] == "Failed"
    assert "predictions.csv" in second["error"]["message"]


def test_an_empty_folder_fails_the_job(server):
    server.batch("empty", NAMES)
    (server.blobs / "empty-input").mkdir()
    job = server.ended(server.invoke("empty", "empty-input").json()["name"])
    assert job["status"] == "Failed"
    assert "no file" in job["error"]["message"]


def test_a_job_is_cancelled(server):
    slow = "import time\ndef init():\n    pass\ndef run(b):\n    time.sleep(0.2)\n    return b\n"
    server.batch("cancelled", slow, miniBatchSize=1)
    server.files("cancelled", 200)
    name = server.invoke("cancelled", "cancelled").json()["name"]
    assert server.call("POST", f"/jobs/{name}/cancel").status_code == 200
    assert server.ended(name)["status"] == "Canceled"
    path = server.job(name)["outputs"]["score"]["uri"].partition("/paths/")[2]
    assert not (server.blobs / path / "predictions.csv").exists()


def test_more_nodes_than_the_cluster_has_are_refused_with_the_reason(server):
    server.batch("greedy", NAMES)
    server.files("greedy", 2)
    answer = server.invoke("greedy", "greedy", compute={"instanceCount": 9})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InstanceCountTooLarge")
    assert "at most 2" in answer.json()["error"]["message"]


def test_without_a_default_deployment_the_header_must_name_one(server):
    server.batch("nodefault", NAMES)
    server.put("/batchEndpoints/nodefault", {"defaults": {}})
    server.files("nodefault", 2)
    refused = server.invoke("nodefault", "nodefault")
    assert refused.status_code == 404
    assert "default deployment" in refused.json()["error"]["message"]
    named = server.invoke("nodefault", "nodefault", {"azureml-model-deployment": "one"})
    assert server.ended(named.json()["name"])["status"] == "Completed"


def test_invoking_needs_a_token_for_ml(server):
    server.batch("audience", NAMES)
    url = f"{server.base}/inference/audience/jobs"
    sent = {"authorization": f"Bearer {server.token()}"}
    assert server.http.post(url, json={"properties": {}}, headers=sent).status_code == 401


GATED = """
import os, time
def init():
    pass
def run(mini_batch):
    (path,) = mini_batch
    name = os.path.basename(path)
    while name > "0004.txt" and not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    return [name]
"""


def test_a_job_is_paused_gives_its_nodes_back_and_goes_on(server, tmp_path):
    """Another job gets the nodes meanwhile; what was begun before the pause is finished."""
    go = tmp_path / "go"
    variables = {"GO": str(go)}
    server.batch("pausing", GATED, miniBatchSize=1, environmentVariables=variables)
    server.files("pausing", 30)
    whole = {"instanceCount": 2}
    name = server.invoke("pausing", "pausing", compute=whole).json()["name"]
    wait_for(lambda: (server.job(name).get("progress") or {}).get("done", 0) >= 4)
    for _ in range(2):
        assert server.call("POST", f"/jobs/{name}/pause").status_code == 200
    wait_for(lambda: list(server.data_dir.glob("*/*/pause")))
    go.touch()
    wait_for(lambda: server.job(name)["status"] == "Paused")
    go.unlink()
    done = server.job(name)["progress"]["done"]
    assert 4 <= done < 30
    go.touch()
    other = server.invoke("pausing", "pausing", compute=whole).json()["name"]
    assert server.ended(other)["status"] == "Completed"
    assert server.job(name)["progress"]["done"] == done
    assert server.call("POST", f"/jobs/{name}/resume").status_code == 200
    assert server.ended(name)["status"] == "Completed"
    assert server.rows(name) == [f"{number:04}.txt" for number in range(30)]
    assert server.job(name)["progress"]["retries"] == 0
    assert server.call("POST", f"/jobs/{name}/pause").status_code == 409


def test_a_job_paused_before_it_began_can_be_resumed_or_cancelled(server):
    server.batch("early", NAMES)
    server.files("early", 3)
    resumed, cancelled = (server.invoke("early", "early").json()["name"] for _ in range(2))
    for name in (resumed, cancelled):
        answer = server.call("POST", f"/jobs/{name}/pause")
        assert answer.status_code == 200 or server.job(name)["status"] == "Completed"
    wait_for(lambda: server.job(resumed)["status"] in {"Paused", "Completed"})
    server.call("POST", f"/jobs/{resumed}/resume")
    assert server.ended(resumed)["status"] == "Completed"
    server.call("POST", f"/jobs/{cancelled}/cancel")
    assert server.ended(cancelled)["status"] in {"Canceled", "Completed"}


ROWS = """
def init():
    pass
def run(mini_batch):
    first = mini_batch.attrs["first_row"]
    told = len(mini_batch)
    return ["%d %s of %d" % (n, row["a"], told) for n, row in enumerate(mini_batch, first)]
"""


def test_a_table_is_scored_by_rows_where_a_property_asks_for_it(server):
    """The deployment says how many rows; an invocation says otherwise for itself."""
    server.batch("rowwise", ROWS, properties={"lazulite.mini_batch": "rows:2"})
    folder = server.blobs / "rowwise"
    folder.mkdir()
    (folder / "t.csv").write_text("a,b\n" + "".join(f'{n},"x\ny"\n' for n in range(5)))
    names = [
        server.invoke("rowwise", "rowwise", properties=given).json()["name"]
        for given in ({}, {"lazulite.mini_batch": "rows:4"})
    ]
    assert [server.ended(name)["status"] for name in names] == ["Completed"] * 2
    assert server.rows(names[0]) == ["0 0 of 2", "1 1 of 2", "2 2 of 2", "3 3 of 2", "4 4 of 1"]
    assert server.rows(names[1]) == [*(f"{n} {n} of 4" for n in range(4)), "4 4 of 1"]
    assert server.job(names[0])["progress"]["items"] == 5
    refused = server.invoke("rowwise", "rowwise", properties={"lazulite.mini_batch": "rows"})
    assert refused.status_code == 400
    assert "rows:<number>" in refused.json()["error"]["message"]


def test_what_failed_is_listed_and_run_again(server, tmp_path):
    cured = tmp_path / "cured"
    ill = f"'0003' in mini_batch[0] and not os.path.exists({str(cured)!r})"
    script = NAMES.replace("    return", f"    if {ill}: 1 / 0\n    return")
    server.batch("rerun", script, miniBatchSize=1, retrySettings={"maxRetries": 0})
    server.files("rerun", 6)
    first = server.invoke("rerun", "rerun").json()["name"]
    assert server.ended(first)["progress"]["failed_items"] == 1
    artifact = f"{server.workspace}/artifacts/content/ExperimentRun/dcid.{first}"
    sent = {"authorization": f"Bearer {server.token()}"}
    url = f"{server.base}/artifact/v2.0{artifact}/logs/failed_items.jsonl"
    (item,) = map(json.loads, server.http.get(url, headers=sent).text.splitlines())
    assert (item["file"].rpartition("/")[2], item["mini_batch"]) == ("0003.txt", 3)
    cured.touch()
    body = {"properties": {"properties": {"lazulite.rerun_failed": first}}}
    sent = {"authorization": f"Bearer {server.token('https://ml.azure.com')}"}
    url = f"{server.base}/inference/rerun/jobs"
    second = server.http.post(url, json=body, headers=sent).json()["name"]
    assert server.ended(second)["status"] == "Completed", server.job(second)
    assert server.rows(second) == ["0003.txt 3"]
