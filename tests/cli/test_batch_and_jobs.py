"""Batch endpoints, their invocations, and jobs."""

import json

import pytest

STORE = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MachineLearningServices" \
    "/workspaces/w1/datastores/d"  # fmt: skip
URI = "azureml://datastores/workspaceblobstore/paths/"
DEPLOYMENT = """
name: d1
endpoint_name: b1
type: model
model: azureml:m:1
compute: azureml:cluster
resources: {instance_count: 2}
settings:
  mini_batch_size: 20
  output_action: append_row
  retry_settings: {max_retries: 3, timeout: 30}
  logging_level: INFO
  error_threshold: -1
"""


@pytest.fixture
def endpoint(server):
    """A batch endpoint with its scoring URI."""
    properties = {"authMode": "AADToken", "scoringUri": f"{server.url}/inference/b1/jobs"}
    server.keep("batchEndpoints/b1", {"properties": properties, "location": "here"})
    studio = {"Studio": {"endpoint": "https://studio/run"}}
    job = {"id": "/x/jobs/j1", "name": "j1",
           "properties": {"status": "Running", "interactionEndpoints": studio}}  # fmt: skip
    server.answer("POST", "/inference/b1/jobs", 201, job)
    return server


def invoked(server):
    return server.sent("POST", "/inference/b1/jobs")[0]


def test_a_deployment_is_put_and_made_the_default(endpoint, lazulite, tmp_path):
    endpoint.keep("models/m/versions/1", {"properties": {}})
    endpoint.keep("computes/cluster", {"properties": {}})
    (tmp_path / "d.yml").write_text(DEPLOYMENT)
    code, out, err = lazulite(
        "ml", "batch-deployment", "create", "-f", str(tmp_path / "d.yml"), "--set-default"
    )
    assert code == 0, err
    properties = endpoint.sent("PUT", "batchEndpoints/b1/deployments/d1")[0].json["properties"]
    assert properties["model"]["referenceType"] == "Id"
    assert properties["model"]["assetId"].endswith("/models/m/versions/1")
    assert properties["compute"].endswith("/computes/cluster")
    assert properties["resources"] == {"instanceCount": 2}
    assert properties["retrySettings"] == {"maxRetries": 3, "timeout": "PT30S"}
    assert (properties["outputAction"], properties["loggingLevel"]) == ("AppendRow", "Info")
    assert (properties["miniBatchSize"], properties["errorThreshold"]) == (20, -1)
    default = endpoint.sent("PUT", "batchEndpoints/b1")[0].json["properties"]["defaults"]
    assert default == {"deploymentName": "d1"}
    assert json.loads(out)["retry_settings"] == {"max_retries": 3, "timeout": 30}


def test_a_missing_compute_is_told_with_the_command_that_makes_it(endpoint, lazulite, tmp_path):
    endpoint.keep("models/m/versions/1", {"properties": {}})
    (tmp_path / "d.yml").write_text(DEPLOYMENT)
    code, _, err = lazulite("ml", "batch-deployment", "create", "-f", str(tmp_path / "d.yml"))
    assert code == 1
    assert "d.yml:6:1: compute: there is no compute 'cluster'" in err
    assert "lazulite ml compute create -n cluster" in err


def test_traffic_of_june_2021_sets_the_default(endpoint, lazulite):
    code, _, err = lazulite("ml", "batch-endpoint", "update", "-n", "b1", "--traffic", "d2:100")
    assert code == 0, err
    sent = endpoint.sent("PUT", "batchEndpoints/b1")[0].json
    assert sent["properties"]["defaults"] == {"deploymentName": "d2"}


@pytest.mark.parametrize(
    ("options", "kind", "uri"),
    [
        (["--input", "https://h/c/mnist"], "UriFolder", "https://h/c/mnist"),
        (["--input", f"{URI}a", "--input-type", "uri_file"], "UriFile", f"{URI}a"),
        (["--input-path", f"folder:{URI}a/b.c/"], "UriFolder", f"{URI}a/b.c/"),
        (["--input", f"{STORE}/paths/a"], "UriFolder", f"azureml:/{STORE}/paths/a"),
        (["--input-path", "file:https://h/c/a.csv"], "UriFile", "https://h/c/a.csv"),
        (["--input-path", "https://h/c/a.csv"], "UriFile", "https://h/c/a.csv"),
        (["--input-datastore", "azureml:d", "--input-path", "a/b"], "UriFolder",
         "azureml://datastores/d/paths/a/b"),
    ],
)  # fmt: skip
def test_every_form_of_input_is_read(endpoint, lazulite, options, kind, uri):
    code, out, err = lazulite(
        "ml", "batch-endpoint", "invoke", "-n", "b1", *options, "--query", "name", "-o", "tsv"
    )
    assert (code, out) == (0, "j1\n"), err
    assert invoked(endpoint).json == {
        "properties": {"inputData": {kind: {"jobInputType": kind, "uri": uri}}}
    }


def test_a_local_folder_is_uploaded(endpoint, lazulite, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(b"png")
    lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", "--input", str(tmp_path / "images"))
    [item] = invoked(endpoint).json["properties"]["inputData"].values()
    path = item["uri"].removeprefix(URI)
    assert path.endswith("/images/")
    assert endpoint.blobs[f"{path}1.png"] == b"png"


def test_a_local_path_of_2021_is_registered_under_its_content(endpoint, lazulite, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(b"png")
    names = set()
    for _ in range(2):
        endpoint.requests.clear()
        code, _, err = lazulite(
            "ml",
            "batch-endpoint",
            "invoke",
            "-n",
            "b1",
            "--input-local-path",
            str(tmp_path / "images"),
        )
        assert code == 0, err
        [item] = invoked(endpoint).json["properties"]["inputData"].values()
        names.add(item["uri"])
    (name,) = names
    [put] = [each for each in endpoint.requests if each.method == "PUT" and "/data/" in each.path]
    assert put.path.split("?")[0].endswith(name)
    assert put.json["properties"]["isAnonymous"] is True
    path = put.json["properties"]["dataUri"].removeprefix(URI)
    assert endpoint.blobs[f"{path}1.png"] == b"png"


@pytest.mark.parametrize("option", ["--input", "--input-dataset", "--input-data"])
def test_registered_data_is_named_by_its_id(endpoint, lazulite, option):
    endpoint.keep("data/d/versions/2", {"properties": {"dataType": "uri_file"}})
    code, _, err = lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", option, "azureml:d:2")
    assert code == 0, err
    item = invoked(endpoint).json["properties"]["inputData"]["UriFile"]
    assert item["uri"].endswith("/data/d/versions/2")


def test_settings_of_one_job_are_sent_with_it(endpoint, lazulite):
    code, _, err = lazulite(
        "ml", "batch-endpoint", "invoke", "-n", "b1", "--input", "https://h/c",
        "--deployment-name", "d2", "--mini-batch-size", "5", "--instance-count", "3",
        "--output-path", f"folder:{URI}out/x", "--set", "output_file_name=p.csv",
        "--set", "retry_settings.max_retries=1", "error_threshold=2", "--job-name", "mine",
        "--experiment-name", "exp",
    )  # fmt: skip
    assert code == 0, err
    asked = invoked(endpoint)
    assert asked.headers["azureml-model-deployment"] == "d2"
    properties = asked.json["properties"]
    del properties["inputData"]
    assert properties.pop("outputDataset")["datastoreId"].endswith("/datastores/workspaceblobstore")
    assert properties == {
        "miniBatchSize": 5,
        "compute": {"instanceCount": 3},
        "outputFileName": "p.csv",
        "errorThreshold": 2,
        "retrySettings": {"maxRetries": 1},
        "name": "mine",
        "properties": {"experimentName": "exp"},
    }


def test_inputs_and_outputs_can_have_names(endpoint, lazulite):
    by_options = ["--inputs", "heart=https://h/c/x", "--outputs", f"score={URI}out/p.csv"]
    by_set = ["--set", "inputs.heart.path=https://h/c/x", "inputs.heart.type=uri_folder",
              f"outputs.score.path={URI}out/p.csv"]  # fmt: skip
    for options in (by_options, by_set):
        endpoint.requests.clear()
        code, _, err = lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", *options)
        assert code == 0, err
        assert invoked(endpoint).json["properties"] == {
            "inputData": {"heart": {"jobInputType": "UriFolder", "uri": "https://h/c/x"}},
            "outputData": {"score": {"jobOutputType": "UriFile", "uri": f"{URI}out/p.csv"}},
        }


def test_a_literal_input_is_for_the_server_to_refuse(endpoint, lazulite):
    options = ["--set", "inputs.mode.type=string", "inputs.mode.default=append"]
    lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", *options)
    [item] = invoked(endpoint).json["properties"]["inputData"].values()
    assert item == {"jobInputType": "Literal", "value": "append"}


FILE = """
inputs:
  heart: {type: uri_folder, path: "./images"}
settings: {mini_batch_size: 7, logging_level: DEBUG}
resources: {instance_count: 3}
retry_settings: {timeout: 90}
job_name: mine
experiment_name: exp
output_format: parquet
program_arguments: --alpha 1
properties: {team: a}
tags: {x: y}
"""


def test_a_file_says_what_options_would(endpoint, lazulite, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/1.png").write_bytes(b"png")
    (tmp_path / "asked.yml").write_text(FILE)
    code, _, err = lazulite(
        "ml", "batch-endpoint", "invoke", "-n", "b1", "-f", str(tmp_path / "asked.yml"),
        "--set", "settings.error_threshold=4",
    )  # fmt: skip
    assert code == 0, err
    properties = invoked(endpoint).json["properties"]
    assert properties.pop("inputData")["heart"]["uri"].endswith("/images/")
    assert properties == {
        "miniBatchSize": 7,
        "errorThreshold": 4,
        "loggingLevel": "Debug",
        "compute": {"instanceCount": 3},
        "retrySettings": {"timeout": "PT90S"},
        "name": "mine",
        "tags": {"x": "y"},
        "properties": {
            "team": "a",
            "experimentName": "exp",
            "lazulite.output_format": "parquet",
            "lazulite.program_arguments": "--alpha 1",
        },
    }


def test_only_what_failed_in_a_job_is_asked_for(endpoint, lazulite):
    code, _, err = lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", "--rerun-failed", "j0")
    assert code == 0, err
    assert invoked(endpoint).json == {"properties": {"properties": {"lazulite.rerun_failed": "j0"}}}


def test_an_output_may_have_a_datastore_alone(endpoint, lazulite):
    options = ["--input", "https://h/c", "--output-datastore", "azureml:other"]
    lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", *options)
    (key,) = invoked(endpoint).json["properties"]["outputDataset"]
    assert key == "datastoreId"


def test_failed_items_are_those_of_the_artifacts(server, lazulite):
    store = "datastores/workspaceartifactstore"
    server.keep(store, {"properties": server.datastore()})
    server.answer("POST", f"{store}/listSecrets", 200, {"sasToken": "sig=x"})
    server.keep("jobs/j1", {"name": "j1", "properties": {"status": "Completed"}})
    for kept in ({}, {"file": "/in/a", "mini_batch": 3, "error": "bad"}):
        if kept:
            name = "ExperimentRun/dcid.j1/logs/failed_items.jsonl"
            server.blobs[name] = json.dumps(kept).encode() + b"\n"
        code, out, err = lazulite("ml", "job", "failed-items", "-n", "j1")
        assert code == 0, err
        assert json.loads(out) == ([kept] if kept else [])


def test_failed_items_of_a_running_job_are_not_there_yet(server, lazulite):
    server.keep("jobs/j1", {"properties": {"status": "Running"}})
    code, _, err = lazulite("ml", "job", "failed-items", "-n", "j1")
    assert code == 1
    assert "lazulite ml job stream -n j1" in err


def test_an_invocation_has_its_own_audience_and_an_id_against_repeats(endpoint, lazulite):
    for _ in range(2):
        lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", "--input", "https://h/c")
    first, second = endpoint.sent("POST", "/inference/b1/jobs")
    assert first.headers["Authorization"] == "Bearer for https://ml.azure.com/.default"
    ids = {item.headers["repeatability-request-id"] for item in (first, second)}
    assert len(ids) == 2


def test_the_answer_has_what_scripts_ask_for(endpoint, lazulite):
    query = "[name, status, interactionEndpoints.Studio.endpoint]"
    _, out, _ = lazulite(
        "ml", "batch-endpoint", "invoke", "-n", "b1", "--input", "https://h/c", "--query", query
    )
    assert json.loads(out) == ["j1", "Running", "https://studio/run"]


@pytest.mark.parametrize("options", [[], ["--input", "https://h", "--input-path", "x"]])
def test_what_to_score_must_be_said_once(endpoint, lazulite, options):
    code, _, err = lazulite("ml", "batch-endpoint", "invoke", "-n", "b1", *options)
    assert code == 1
    assert "Say once what to score" in err


def test_a_job_is_followed_to_its_end(server, lazulite):
    for status, done in (("Queued", 0), ("Running", 1), ("Completed", 2)):
        left = {"items": 20, "left_items": 20 - done * 10}
        progress = {"mini_batches": 2, "done": done, "rows": done * 10, **left}
        job = {"name": "j1", "properties": {"status": status, "progress": progress}}
        server.answer("GET", "jobs/j1", 200, job)
    code, _, err = lazulite("ml", "job", "stream", "-n", "j1")
    assert code == 0
    assert [line for line in err.splitlines() if "items" not in line] == [
        "j1: Queued",
        "j1: Running",
        "j1: Completed",
        "Next: lazulite ml job download -n j1",
    ]
    assert "j1: 20 of 20 items done, 0 failed, 0 left, 20 rows" in err


DETAILS = "/history/v1.0/subscriptions/s1/resourceGroups/g1/providers" \
    "/Microsoft.MachineLearningServices/workspaces/w1/runs/j1/details"  # fmt: skip


def test_logs_are_printed_once_as_they_grow(server, lazulite):
    """By a server that knows no ranges."""
    log = {"user_logs/std_log.txt": f"{server.url}/log", "logs/other.txt": f"{server.url}/other"}
    for status in ("Running", "Running", "Completed"):
        server.answer("GET", DETAILS, 200, {"status": status, "logFiles": log})
    for text in (b"one\n", b"one\ntwo\n", b"one\ntwo\nthree\n"):
        server.answer("GET", "/log", 200, text)
    code, out, _ = lazulite("ml", "job", "stream", "-n", "j1")
    assert (code, out) == (0, "one\ntwo\nthree\n")
    assert server.sent("GET", "/other") == []


def test_of_a_log_only_what_is_new_is_asked_for(server, lazulite):
    log = {"user_logs/std_log.txt": f"{server.url}/log"}
    for status in ("Running", "Running", "Running", "Completed"):
        server.answer("GET", DETAILS, 200, {"status": status, "logFiles": log})
    whole = "one é\n".encode()
    server.answer("GET", "/log", 200, whole[:5])  # the é in half
    server.answer("GET", "/log", 206, whole[5:])
    server.answer("GET", "/log", 416, b"<Error/>")
    server.answer("GET", "/log", 206, b"two\n")
    code, out, _ = lazulite("ml", "job", "stream", "-n", "j1")
    assert (code, out) == (0, "one é\ntwo\n")
    asked = [each.headers.get("x-ms-range") for each in server.sent("GET", "/log")]
    assert asked == [None, "bytes=5-", "bytes=7-", "bytes=7-"]


def test_a_failed_job_tells_its_error(server, lazulite):
    error = {"code": "InitFailed", "message": "Traceback ...\nKeyError: 'x'"}
    server.keep("jobs/j1", {"properties": {"status": "Failed", "error": error}})
    code, _, err = lazulite("ml", "job", "stream", "-n", "j1")
    assert code == 1
    assert "(InitFailed) Traceback ...\nKeyError: 'x'" in err


def test_outputs_are_downloaded_by_name(server, lazulite, tmp_path):
    outputs = {"score": {"uri": f"{URI}azureml/j1/score"}}
    server.keep("jobs/j1", {"properties": {"status": "Completed", "outputs": outputs}})
    server.blobs["azureml/j1/score/predictions.csv"] = b"a 1\n"
    server.blobs["azureml/j1/score2/other"] = b""
    code, out, err = lazulite("ml", "job", "download", "-n", "j1", "-p", str(tmp_path))
    assert code == 0, err
    assert (tmp_path / "named-outputs/score/predictions.csv").read_bytes() == b"a 1\n"
    assert json.loads(out)["files"] == {"score": 1}


def test_an_output_that_is_not_there_names_those_that_are(server, lazulite):
    outputs = {"score": {"uri": f"{URI}x"}}
    server.keep("jobs/j1", {"properties": {"status": "Completed", "outputs": outputs}})
    code, _, err = lazulite("ml", "job", "download", "-n", "j1", "--output-name", "scores")
    assert code == 3
    assert "it has: score" in err


def test_what_a_failed_job_has_left_is_downloaded(server, lazulite, tmp_path):
    """Its logs, though it has not written its output."""
    outputs = {"score": {"uri": f"{URI}x"}}
    server.keep("jobs/j1", {"properties": {"status": "Failed", "outputs": outputs}})
    server.keep("datastores/workspaceartifactstore", {"properties": server.datastore()})
    secrets = "datastores/workspaceartifactstore/listSecrets"
    server.answer("POST", secrets, 200, {"sasToken": "sig=x"})
    server.blobs["ExperimentRun/dcid.j1/user_logs/std_log.txt"] = b"oops"
    line = ["ml", "job", "download", "-n", "j1", "-p", str(tmp_path)]
    code, out, err = lazulite(*line, "--all")
    assert code == 0, err
    assert json.loads(out)["files"] == {"score": 0, "artifacts": 1}
    assert (tmp_path / "artifacts/user_logs/std_log.txt").read_bytes() == b"oops"
    code, _, err = lazulite(*line)
    assert code == 3
    assert "`lazulite ml job download -n j1 --all`" in err


def test_a_running_job_is_not_downloaded(server, lazulite):
    server.keep("jobs/j1", {"properties": {"status": "Running"}})
    code, _, err = lazulite("ml", "job", "download", "-n", "j1")
    assert code == 1
    assert "lazulite ml job stream -n j1" in err


def test_a_job_is_canceled(server, lazulite):
    server.keep("jobs/j1", {"properties": {"status": "CancelRequested"}})
    server.answer("POST", "jobs/j1/cancel", 200, None)
    code, out, _ = lazulite("ml", "job", "cancel", "-n", "j1", "--query", "status", "-o", "tsv")
    assert (code, out) == (0, "CancelRequested\n")


def test_a_table_shows_the_columns_that_matter(server, lazulite):
    properties = {"status": "Running", "experimentName": "e", "inputs": {"A b": {}}}
    server.keep("jobs/j1", {"properties": properties})
    for command in (["show", "-n", "j1"], ["list"]):
        _, out, _ = lazulite("ml", "job", *command, "-o", "table")
        assert [line.split() for line in out.splitlines()] == [
            ["Name", "Status", "Experiment_name"],
            ["------", "--------", "-----------------"],
            ["j1", "Running", "e"],
        ]


def test_names_of_inputs_keep_their_case(server, lazulite):
    server.keep(
        "jobs/j1", {"properties": {"status": "Running", "inputs": {"MyData": {"uri": "x"}}}}
    )
    _, out, _ = lazulite("ml", "job", "show", "-n", "j1", "--query", "inputs")
    assert json.loads(out) == {"MyData": {"uri": "x"}}


def test_a_node_is_evicted_by_its_id(server, lazulite):
    nodes = [{"nodeId": "n7", "nodeState": "preempted"}]
    server.answer("POST", "computes/c/evictNode", 202, {})
    server.answer("POST", "computes/c/listNodes", 200, {"nodes": nodes})
    code, out, err = lazulite("ml", "compute", "evict-node", "-n", "c", "--node-id", "n7")
    assert code == 0, err
    assert server.sent("POST", "computes/c/evictNode")[0].json == {"nodeId": "n7"}
    assert json.loads(out) == [{"node_id": "n7", "node_state": "preempted"}]
