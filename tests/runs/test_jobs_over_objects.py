"""Jobs and deployments of a server whose blobs lie in an object store, with Microsoft's client."""

import pytest
from azure.storage.blob import BlobServiceClient

from tests.live import running, wait_for

STORE = "azureml://datastores/workspaceblobstore/paths"
SCORE = """
import os

def init():
    print("ready")

def run(files):
    with open(os.path.join(os.environ["AZUREML_BI_OUTPUT_PATH"], "extra.txt"), "w") as extra:
        extra.write("of the script")
    return [open(file).read() for file in files]
"""


class Objects:
    """The default container, from outside."""

    def __init__(self, server):
        self.server = server
        row = server.call("GET", "").json()["properties"]["storageAccount"]
        keys = server.call("POST", f"{row}/listKeys", api="2022-09-01").json()["keys"]
        account = row.rpartition("/")[2]
        self.service = BlobServiceClient(f"{server.base}/{account}", credential=keys[0]["value"])

    def write(self, name, text, container="azureml-blobstore"):
        self.service.get_blob_client(container, name).upload_blob(text, overwrite=True)

    def read(self, name, container="azureml-blobstore"):
        return self.service.get_blob_client(container, name).download_blob().readall().decode()

    def names(self, prefix="", container="azureml-blobstore"):
        client = self.service.get_container_client(container)
        return [blob.name for blob in client.list_blobs(name_starts_with=prefix)]

    def code(self, name, text, script):
        self.write(f"code/{name}/{script}", text)
        uri = {"codeUri": f"{STORE}/code/{name}"}
        return self.server.put(f"/codes/{name}/versions/1", uri).json()["id"]


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAZULITE_BLOBS", "memory://")
        with running(tmp_path_factory.mktemp("objects")) as server:
            yield Objects(server)


@pytest.mark.slow
def test_a_command_reads_its_inputs_and_its_outputs_become_blobs(objects):
    server = objects.server
    objects.write("in/a.txt", "1")
    objects.write("in/deep/b.txt", "2")
    body = {
        "jobType": "Command",
        "command": "python copy.py ${{inputs.data}} ${{outputs.out}}; echo ended",
        "codeId": objects.code(
            "copy",
            "import shutil, sys; shutil.copytree(*sys.argv[1:], dirs_exist_ok=True)",
            "copy.py",
        ),
        "environmentId": server.environment(),
        "computeId": server.cluster("jobs", most=1),
        "inputs": {"data": {"jobInputType": "uri_folder", "uri": f"{STORE}/in"}},
        "outputs": {"out": {"jobOutputType": "uri_folder", "uri": f"{STORE}/out"}},
    }
    for name, text in (("one", "1"), ("two", "changed")):
        objects.write("in/a.txt", text)
        put = server.call("PUT", f"/jobs/{name}", {"properties": body}, api="2023-10-01")
        assert put.status_code == 201, put.text
        job = server.ended(name)
        assert job["status"] == "Completed", job["error"]
        assert objects.names("out/") == ["out/a.txt", "out/deep/b.txt"]
        assert objects.read("out/a.txt") == text
        log = f"ExperimentRun/dcid.{name}/user_logs/std_log.txt"
        assert objects.read(log, "azureml") == "ended\n"


@pytest.mark.slow
def test_a_running_command_can_be_followed(objects):
    server = objects.server
    body = {
        "jobType": "Command",
        "command": "echo under way; sleep 600",
        "environmentId": server.environment(),
        "computeId": server.cluster("jobs", most=1),
    }
    server.call("PUT", "/jobs/long", {"properties": body}, api="2023-10-01")
    log = "ExperimentRun/dcid.long/user_logs/std_log.txt"
    wait_for(lambda: log in objects.names("ExperimentRun/dcid.long", "azureml"))
    assert objects.read(log, "azureml") == "under way\n"
    server.call("POST", "/jobs/long/cancel", api="2023-10-01")
    assert server.ended("long")["status"] == "Canceled"


@pytest.mark.slow
def test_a_batch_job_scores_objects_and_its_rows_become_one(objects):
    server = objects.server
    for number in range(5):
        objects.write(f"images/{number}.txt", str(number))
    server.put("/batchEndpoints/words", {"defaults": {"deploymentName": "one"}})
    deployment = {
        "compute": server.cluster(),
        "environmentId": server.environment(),
        "codeConfiguration": {
            "codeId": objects.code("score", SCORE, "score.py"),
            "scoringScript": "score.py",
        },
    }
    made = server.put("/batchEndpoints/words/deployments/one", deployment)
    assert server.outcome(made)["status"] == "Succeeded", server.outcome(made)
    job = server.ended(server.invoke("words", "images").json()["name"])
    assert job["status"] == "Completed", job["error"]
    folder = job["outputs"]["score"]["uri"].partition("/paths/")[2]
    assert objects.read(f"{folder}/predictions.csv").split() == ["0", "1", "2", "3", "4"]
    assert objects.read(f"{folder}/extra.txt") == "of the script"
    assert not list((server.data_dir / "outgoing").iterdir())
    body = {"outputData": {"score": {"jobOutputType": "UriFolder", "uri": f"{STORE}/{folder}"}}}
    again = server.ended(server.invoke("words", "images", **body).json()["name"])
    assert (again["status"], again["error"]["code"]) == ("Failed", "OutputExists")
    assert objects.read(f"{folder}/predictions.csv").split() == ["0", "1", "2", "3", "4"]


@pytest.mark.slow
def test_an_output_onto_a_leased_blob_fails_the_job_and_is_kept(objects):
    server = objects.server
    objects.write("leased/predictions.csv", "old")
    blob = objects.service.get_blob_client("azureml-blobstore", "leased/predictions.csv")
    lease = blob.acquire_lease()
    body = {
        "jobType": "Command",
        "command": "echo new >${{outputs.out}}/predictions.csv; echo new >${{outputs.out}}/b",
        "environmentId": server.environment(),
        "computeId": server.cluster("jobs", most=1),
        "outputs": {"out": {"jobOutputType": "uri_folder", "uri": f"{STORE}/leased"}},
    }
    put = server.call("PUT", "/jobs/leased", {"properties": body}, api="2023-10-01")
    assert put.status_code == 201, put.text
    job = server.ended("leased")
    lease.release()
    assert (job["status"], job["error"]["code"]) == ("Failed", "OutputNotDelivered")
    assert "leased/predictions.csv" in job["error"]["message"]
    assert objects.read("leased/predictions.csv") == "old"
    assert objects.read("leased/b") == "new\n"
    kept = list((server.data_dir / "outgoing").rglob("predictions.csv"))
    assert [path.read_text() for path in kept] == ["new\n"]
    server.call("DELETE", "/jobs/leased", api="2023-10-01")
    wait_for(lambda: not kept[0].exists())
