"""The commands as a user types them, against a server that records what they send."""

import json
import time

import pytest
from ruamel.yaml import YAML

ENDPOINT = {
    "properties": {
        "authMode": "Key",
        "scoringUri": "",
        "provisioningState": "Succeeded",
        "traffic": {},
        "properties": {},
    },
    "location": "here",
    "tags": {},
}
BLUE = """
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
name: blue
endpoint_name: e1
model:
  local_path: ./model.pkl
code_configuration:
  code:
    local_path: ./code
  scoring_script: score.py
environment:
  conda_file: ./conda.yml
  image: azureml/base
instance_type: Standard_F2s_v2
instance_count: 2
request_settings: {request_timeout_ms: 3000, max_queue_wait_ms: 500}
liveness_probe: {period: 10, failure_threshold: 3}
"""


@pytest.fixture
def project(tmp_path):
    """A deployment with everything inline, as the first documents of the CLI show it."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def init(): ...\ndef run(x): ...\n")
    (tmp_path / "model.pkl").write_text("weights")
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]\n")
    (tmp_path / "blue.yml").write_text(BLUE)
    return tmp_path


def test_an_endpoint_is_created_from_its_file(server, lazulite, tmp_path):
    (tmp_path / "e.yml").write_text("name: from-file\nauth_mode: aml_token\ntags: {a: 1}\n")
    code, out, _ = lazulite(
        "ml", "online-endpoint", "create", "-n", "e1", "-f", str(tmp_path / "e.yml")
    )
    assert code == 0
    [put] = server.sent("PUT", "onlineEndpoints/e1")
    assert put.json == {
        "location": "here",
        "tags": {"a": "1"},
        "properties": {"authMode": "AMLToken"},
    }
    assert put.query == {"api-version": "2021-10-01"}
    assert put.headers["Authorization"] == f"Bearer for {server.url}/.default"
    assert json.loads(out)["auth_mode"] == "aml_token"


def test_a_deployment_registers_what_its_file_defines_in_place(server, lazulite, project):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    code, out, err = lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    assert code == 0, err
    body = server.sent("PUT", "onlineEndpoints/e1/deployments/blue")[0].json
    assert body["sku"] == {"name": "Default", "capacity": 2}
    properties = body["properties"]
    assert properties["requestSettings"] == {"requestTimeout": "PT3S", "maxQueueWait": "PT0.5S"}
    assert properties["livenessProbe"] == {"period": "PT10S", "failureThreshold": 3}
    model, code_id = properties["model"], properties["codeConfiguration"]["codeId"]
    assert server.resources[model.lower()]["properties"]["modelType"] == "custom_model"
    uri = server.resources[model.lower()]["properties"]["modelUri"]
    path = uri.removeprefix("azureml://datastores/workspaceblobstore/paths/")
    assert server.blobs[path] == b"weights"
    folder = server.resources[code_id.lower()]["properties"]["codeUri"].split("/paths/")[1]
    assert folder.endswith("/code/")
    assert f"{folder}score.py" in server.blobs
    environment = server.resources[properties["environmentId"].lower()]["properties"]
    assert environment["condaFile"] == (project / "conda.yml").read_text()
    assert json.loads(out)["instance_count"] == 2


def test_files_already_there_are_not_sent_again(server, lazulite, project):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    first = [
        item
        for item in server.requests
        if item.path.startswith("/store.blob") and item.method == "PUT"
    ]
    server.requests.clear()
    lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    again = [
        item
        for item in server.requests
        if item.path.startswith("/store.blob") and item.method == "PUT"
    ]
    assert len(first) == 2
    assert again == []


def test_all_traffic_goes_to_the_new_deployment(server, lazulite, project):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"), "--all-traffic")
    assert server.sent("PUT", "onlineEndpoints/e1")[-1].json["properties"]["traffic"] == {
        "blue": 100
    }


def test_a_missing_endpoint_is_told_before_anything_is_uploaded(server, lazulite, project):
    code, _, err = lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    assert code == 1
    assert f"{project / 'blue.yml'}:4:1: endpoint_name: there is no online endpoint 'e1'" in err
    assert server.blobs == {}


def test_an_environment_mapping_may_hold_its_conda_file(server, lazulite, project):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    text = BLUE.replace("conda_file: ./conda.yml", "conda_file: {dependencies: [python=3.9]}")
    (project / "blue.yml").write_text(text)
    code, _, err = lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    assert code == 0, err
    body = server.sent("PUT", "onlineEndpoints/e1/deployments/blue")[0].json
    found = server.resources[body["properties"]["environmentId"].lower()]["properties"]
    assert YAML(typ="safe").load(found["condaFile"]) == {"dependencies": ["python=3.9"]}


def test_an_update_changes_what_is_said_and_keeps_the_rest(server, lazulite, project):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    before = server.sent("PUT", "onlineEndpoints/e1/deployments/blue")[-1].json
    code, _, err = lazulite(
        "ml", "online-deployment", "update", "-e", "e1", "-n", "blue",
        "--set", "instance_count=3", "request_settings.request_timeout_ms=7000",
    )  # fmt: skip
    assert code == 0, err
    after = server.sent("PUT", "onlineEndpoints/e1/deployments/blue")[-1].json
    assert after["sku"]["capacity"] == 3
    assert after["properties"]["requestSettings"]["requestTimeout"] == "PT7S"
    for name in ("model", "environmentId", "codeConfiguration", "livenessProbe", "instanceType"):
        assert after["properties"][name] == before["properties"][name]


@pytest.mark.parametrize(
    "option", [["--traffic", "blue=90 green=10"], ["--traffic", "blue:90,green:10"]]
)
def test_traffic_is_set_by_an_update(server, lazulite, option):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    code, _, err = lazulite("ml", "online-endpoint", "update", "-n", "e1", *option)
    assert code == 0, err
    assert server.sent("PUT", "onlineEndpoints/e1")[0].json["properties"]["traffic"] == {
        "blue": 90,
        "green": 10,
    }


def test_mirrored_traffic_is_sent_in_a_version_that_knows_it(server, lazulite):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    lazulite("ml", "online-endpoint", "update", "-n", "e1", "--mirror-traffic", "green=10")
    [put] = server.sent("PUT", "onlineEndpoints/e1")
    assert put.query["api-version"] == "2023-10-01"
    assert put.json["properties"]["mirrorTraffic"] == {"green": 10}


def test_invoke_sends_the_key_and_prints_the_answer(server, lazulite, tmp_path):
    endpoint = {
        **ENDPOINT,
        "properties": {**ENDPOINT["properties"], "scoringUri": f"{server.url}/score"},
    }
    server.keep("onlineEndpoints/e1", endpoint)
    server.answer("POST", "onlineEndpoints/e1/listKeys", 200, {"primaryKey": "k1"})
    server.answer("POST", "/score", 200, [1, 2])
    (tmp_path / "r.json").write_text('{"data": 1}')
    request = str(tmp_path / "r.json")
    code, out, _ = lazulite(
        "ml", "online-endpoint", "invoke", "-n", "e1", "-r", request, "-d", "green"
    )
    assert (code, json.loads(out)) == (0, "[1, 2]")
    [scored] = server.sent("POST", "/score")
    assert scored.body == b'{"data": 1}'
    assert scored.headers["Authorization"] == "Bearer k1"
    assert scored.headers["azureml-model-deployment"] == "green"


def test_a_model_that_fails_shows_its_own_words(server, lazulite, tmp_path):
    endpoint = {
        **ENDPOINT,
        "properties": {**ENDPOINT["properties"], "scoringUri": f"{server.url}/score"},
    }
    server.keep("onlineEndpoints/e1", endpoint)
    server.answer("POST", "onlineEndpoints/e1/listKeys", 200, {"primaryKey": "k1"})
    server.answer("POST", "/score", 424, b"ValueError: no column a")
    (tmp_path / "r.json").write_text("{}")
    code, _, err = lazulite(
        "ml", "online-endpoint", "invoke", "-n", "e1", "-r", str(tmp_path / "r.json")
    )
    assert code == 1
    assert "424" in err
    assert "ValueError: no column a" in err


def test_keys_are_shown_and_made_anew(server, lazulite):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    server.answer("POST", "onlineEndpoints/e1/regenerateKeys", 200, None)
    server.answer(
        "POST", "onlineEndpoints/e1/listKeys", 200, {"primaryKey": "a", "secondaryKey": "b"}
    )
    _, out, _ = lazulite(
        "ml", "online-endpoint", "get-credentials", "-n", "e1", "--query", "primaryKey", "-o", "tsv"
    )
    assert out == "a\n"
    code, _, _ = lazulite(
        "ml", "online-endpoint", "regenerate-keys", "-n", "e1", "--key-type", "secondary", "--yes"
    )
    assert code == 0
    assert server.sent("POST", "onlineEndpoints/e1/regenerateKeys")[0].json == {
        "keyType": "Secondary"
    }


def test_logs_are_printed_as_they_are(server, lazulite):
    server.answer(
        "POST", "onlineEndpoints/e1/deployments/blue/getLogs", 200, {"content": "one\ntwo"}
    )
    _, out, _ = lazulite("ml", "online-deployment", "get-logs", "-e", "e1", "-n", "blue", "-l", "7")
    assert out == "one\ntwo\n"
    [asked] = server.sent("POST", "onlineEndpoints/e1/deployments/blue/getLogs")
    assert asked.json == {"tail": 7, "containerType": "InferenceServer"}


def test_a_deletion_needs_a_yes(server, lazulite):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    code, _, err = lazulite("ml", "online-endpoint", "delete", "-n", "e1")
    assert code == 1
    assert "cancelled" in err
    assert lazulite("ml", "online-endpoint", "delete", "-n", "e1", "--yes")[0] == 0
    assert len(server.sent("DELETE", "onlineEndpoints/e1")) == 1


@pytest.mark.parametrize("verb", ["show", "delete"])
def test_what_is_not_there_has_exit_code_3(server, lazulite, verb):
    yes = ["--yes"] if verb == "delete" else []
    code, _, err = lazulite("ml", "online-endpoint", verb, "-n", "none", *yes)
    assert code == 3
    assert "(ResourceNotFound)" in err


def test_a_list_follows_its_pages(server, lazulite):
    page = "/next"
    server.answer(
        "GET", "computes", 200, {"value": [{"id": "/x/computes/a", "name": "a"}], "nextLink": page}
    )
    server.answer("GET", page, 200, {"value": [{"id": "/x/computes/b", "name": "b"}]})
    _, out, _ = lazulite("ml", "compute", "list", "--query", "[].name", "-o", "tsv")
    assert out == "a\nb\n"


def test_a_compute_is_created_from_options(server, lazulite):
    code, out, _ = lazulite("ml", "compute", "create", "-n", "c1", "--type", "AmlCompute",
                            "--min-instances", "0", "--max-instances", "5")  # fmt: skip
    assert code == 0
    sent = server.sent("PUT", "computes/c1")[0].json["properties"]
    assert sent["computeType"] == "AmlCompute"
    assert sent["properties"]["scaleSettings"] == {
        "minNodeCount": 0,
        "maxNodeCount": 5,
        "nodeIdleTimeBeforeScaleDown": "PT2M",
    }
    assert json.loads(out)["max_instances"] == 5


def test_an_update_of_a_compute_may_set_zero(server, lazulite):
    lazulite("ml", "compute", "create", "-n", "c1", "--min-instances", "1", "--max-instances", "2")
    code, _, err = lazulite("ml", "compute", "update", "-n", "c1", "--min-instances", "0")
    assert code == 0, err
    scale = server.sent("PUT", "computes/c1")[-1].json["properties"]["properties"]["scaleSettings"]
    assert (scale["minNodeCount"], scale["maxNodeCount"]) == (0, 2)


def test_a_model_gets_the_next_version(server, lazulite, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "weights").write_text("w")
    server.keep("models/m", {"properties": {"latestVersion": "4", "nextVersion": "5"}})
    code, out, err = lazulite(
        "ml", "model", "create", "-n", "m", "-p", str(tmp_path / "m"), "-t", "mlflow_model"
    )
    assert code == 0, err
    [put] = server.sent("PUT", "models/m/versions/5")
    assert put.json["properties"]["modelType"] == "mlflow_model"
    assert put.json["properties"]["modelUri"].endswith("/m/")
    assert (json.loads(out)["version"], json.loads(out)["type"]) == ("5", "mlflow_model")


def test_a_model_comes_back_as_it_went(server, lazulite, tmp_path):
    (tmp_path / "m" / "sub").mkdir(parents=True)
    (tmp_path / "m" / "sub" / "weights").write_bytes(b"\0w")
    lazulite("ml", "model", "create", "-n", "m", "--version", "1", "-p", str(tmp_path / "m"))
    code, _, err = lazulite(
        "ml", "model", "download", "-n", "m", "--version", "1", "-p", str(tmp_path / "back")
    )
    assert code == 0, err
    assert (tmp_path / "back" / "m" / "sub" / "weights").read_bytes() == b"\0w"


def test_a_blob_that_leads_out_of_the_folder_is_not_written(server, lazulite, tmp_path):
    uri = "azureml://datastores/workspaceblobstore/paths/p/"
    server.keep("models/m/versions/1", {"properties": {"modelUri": uri}})
    server.blobs["p/../../evil"] = b"x"
    code, _, err = lazulite(
        "ml", "model", "download", "-n", "m", "--version", "1", "-p", str(tmp_path / "back")
    )
    assert code == 1
    assert "leads out of" in err
    assert not (tmp_path / "evil").exists()


def test_an_unchanged_environment_keeps_its_version(server, lazulite, project):
    server.keep("environments/env", {"properties": {"latestVersion": "2", "nextVersion": "3"}})
    conda = (project / "conda.yml").read_text()
    server.keep("environments/env/versions/2", {"properties": {"condaFile": conda}})
    lazulite("ml", "environment", "create", "-n", "env", "-c", str(project / "conda.yml"))
    assert len(server.sent("PUT", "environments/env/versions/2")) == 1
    (project / "conda.yml").write_text("dependencies: [python=3.12]\n")
    lazulite("ml", "environment", "create", "-n", "env", "-c", str(project / "conda.yml"))
    assert len(server.sent("PUT", "environments/env/versions/3")) == 1


def test_data_is_registered_in_a_version_of_the_api_that_knows_it(server, lazulite, tmp_path):
    (tmp_path / "a.csv").write_text("1\n")
    code, out, err = lazulite("ml", "data", "create", "-n", "d", "-p", str(tmp_path / "a.csv"))
    assert code == 0, err
    [put] = server.sent("PUT", "data/d/versions/1")
    assert put.query["api-version"] == "2022-05-01"
    assert put.json["properties"]["dataType"] == "uri_file"
    assert json.loads(out)["type"] == "uri_file"


def test_latest_is_looked_up(server, lazulite, project):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    server.keep("models/m", {"properties": {"latestVersion": "7"}})
    server.keep("models/m/versions/7", {"properties": {}})
    text = BLUE.replace("model:\n  local_path: ./model.pkl", "model: azureml:m@latest")
    (project / "blue.yml").write_text(text)
    code, _, err = lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    assert code == 0, err
    body = server.sent("PUT", "onlineEndpoints/e1/deployments/blue")[0].json
    assert body["properties"]["model"].endswith("/models/m/versions/7")


def test_a_reference_to_nothing_names_its_line(server, lazulite, project):
    server.keep("onlineEndpoints/e1", ENDPOINT)
    text = BLUE.replace("model:\n  local_path: ./model.pkl", "model: azureml:m:9")
    (project / "blue.yml").write_text(text)
    code, _, err = lazulite("ml", "online-deployment", "create", "-f", str(project / "blue.yml"))
    assert code == 1
    assert "blue.yml:5:1: model: 'azureml:m:9' is not registered" in err


def test_secrets_are_in_no_output(server, lazulite, tmp_path):
    (tmp_path / "a.csv").write_text("1\n")
    server.answer("PUT", "data/d/versions/1", 500, {"error": {"code": "X", "message": "broken"}})
    for options in ([], ["--debug"]):
        _, out, err = lazulite(
            "ml", "data", "create", "-n", "d", "-p", str(tmp_path / "a.csv"), *options
        )
        assert "hush" not in out + err
        assert "sig=x" not in out + err


def test_credentials_of_an_endpoint_with_access_tokens_are_the_callers_own(server, lazulite):
    server.keep("onlineEndpoints/e1", {"properties": {"authMode": "AADToken"}})
    code, out, err = lazulite("ml", "online-endpoint", "get-credentials", "-n", "e1")
    assert code == 0, err
    shown = json.loads(out)
    assert shown["accessToken"] == "for https://ml.azure.com/.default"
    assert shown["expiryTimeUtc"] > time.time()
    assert not server.sent("POST", "onlineEndpoints/e1/token")
