"""`ml job create`: what is uploaded, and what is put."""

import pytest

JOB = """
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
display_name: train
experiment_name: digits
code: ./src
command: >-
  python train.py --data ${{inputs.data}} --lr ${{inputs.lr}}
environment: azureml:env:1
environment_variables: {SEED: 7}
compute: azureml:cluster
resources: {instance_count: 1, shm_size: 1g}
limits: {timeout: 90}
inputs:
  lr: 0.1
  data: {type: uri_folder, path: ./numbers, mode: download}
  there: {type: uri_file, path: "azureml://datastores/d/paths/x.csv"}
outputs:
  model:
"""


@pytest.fixture
def project(server, tmp_path):
    """A job with code and data beside it, and what it refers to on the server."""
    server.keep("environments/env/versions/1", {"properties": {}})
    server.keep("computes/cluster", {"properties": {}})
    for name, text in (("src/train.py", "print(1)"), ("numbers/a.csv", "1,2"), ("job.yml", JOB)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_job_is_submitted_with_its_code_and_data(server, lazulite, project):
    code, out, err = lazulite("ml", "job", "create", "-f", str(project / "job.yml"), "-n", "j1")
    assert code == 0, err
    put = server.sent("PUT", "jobs/j1")[0].json["properties"]
    assert (put["jobType"], put["displayName"], put["experimentName"]) == (
        "Command",
        "train",
        "digits",
    )
    assert put["command"].startswith("python train.py --data ${{inputs.data}}")
    assert put["limits"] == {"jobLimitsType": "Command", "timeout": "PT90S"}
    assert put["resources"] == {"instanceCount": 1, "shmSize": "1g"}
    assert put["environmentVariables"] == {"SEED": "7"}
    assert put["environmentId"].endswith("/environments/env/versions/1")
    assert put["computeId"].endswith("/computes/cluster")
    assert put["inputs"]["lr"] == {"jobInputType": "literal", "value": "0.1"}
    assert put["inputs"]["data"]["uri"].endswith("/numbers/")
    assert put["inputs"]["data"]["mode"] == "Download"
    assert put["inputs"]["there"]["uri"] == "azureml://datastores/d/paths/x.csv"
    assert put["outputs"] == {"model": {"jobOutputType": "uri_folder"}}
    assert sorted(name.rsplit("/", 1)[-1] for name in server.blobs) == ["a.csv", "train.py"]
    assert '"name": "j1"' in out


def test_a_job_without_a_name_gets_one(server, lazulite, project):
    assert lazulite("ml", "job", "create", "-f", str(project / "job.yml"))[0] == 0
    (put,) = [item for item in server.requests if item.method == "PUT" and "/jobs/" in item.path]
    assert put.path.rsplit("/", 1)[-1].startswith("job_")


def test_stream_prints_the_log_once_and_fails_with_the_job(server, lazulite, project):
    for name in ("user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"):
        server.answer("GET", f"/{name}", 200, b"hello\n")
    files = {name: f"{server.url}/{name}" for name in
             ("user_logs/std_log.txt", "azureml-logs/70_driver_log.txt")}  # fmt: skip
    path = f"/history/v1.0{server_path('runs/j1')}/details"
    inner = {"code": "UserProgramFailed", "innerError": None}
    message = "The command ended with exit code 3."
    error = {"error": {"code": "UserError", "message": message, "innerError": inner}}
    server.answer("GET", path, 200, {"status": "Failed", "logFiles": files, "error": error})
    arguments = ["ml", "job", "create", "-f", str(project / "job.yml"), "-n", "j1", "--stream"]
    code, out, err = lazulite(*arguments)
    assert code != 0
    assert out.count("hello") == 1
    assert "(UserProgramFailed)" in err
    assert "exit code 3" in err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("command=", "'command'"),
        ("type=sweep", "type: command"),
        ("code=./none", "none"),
        ("inputs.data.path=./nowhere", "nowhere"),
        ("compute=azureml:other", "other"),
        ("environment=azureml:missing:1", "missing"),
        ("limits.timeout=soon", "soon"),
        ("comand=x", "comand"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_before_anything_is_put(
    server, lazulite, project, change, told
):
    file = project / "job.yml"
    if change.startswith("type="):
        file.write_text(JOB.replace("type: command", "type: sweep"))
    code, _, err = lazulite("ml", "job", "create", "-f", str(file), "--set", change)
    assert code != 0
    assert told in err
    assert [
        item for item in server.requests if item.method == "PUT" and "/jobs/" in item.path
    ] == []


def server_path(path):
    return (
        "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MachineLearningServices"
        f"/workspaces/w1/{path}"
    )


def test_code_and_compute_may_be_said_as_in_2021(server, lazulite, project):
    text = JOB.replace("code: ./src", "code: {local_path: ./src}").replace(
        "compute: azureml:cluster\nresources: {instance_count: 1, shm_size: 1g}",
        "compute: {target: azureml:cluster, instance_count: 2}",
    )
    (project / "job.yml").write_text(text)
    code, _, err = lazulite("ml", "job", "create", "-f", str(project / "job.yml"), "-n", "j1")
    assert code == 0, err
    put = server.sent("PUT", "jobs/j1")[0].json["properties"]
    assert put["computeId"].endswith("/computes/cluster")
    assert put["resources"] == {"instanceCount": 2}
    assert put["codeId"]
