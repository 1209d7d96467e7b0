"""Published data URLs in a closed network: batch and command jobs over a mirror.

The URLs are those of seeds 000, 002 and 004.
"""

import pytest

from tests.live import running
from tests.web import container, serving

SAMPLES = "https://pipelinedata.blob.core.windows.net/sampledata"
NAMES = """
import os

def init():
    pass

def run(mini_batch):
    return [f"{os.path.basename(path)} {open(path).read()}" for path in mini_batch]
"""
MNIST = {f"mnist/{number}.png": b"%d" % number for number in range(12)}


@pytest.fixture(scope="module")
def web():
    with serving() as web:
        container(web, "/mirror/sampledata", {**MNIST, "nytaxi/taxi.csv": b"1"}, page=5)
        yield web


@pytest.fixture(scope="module")
def closed(tmp_path_factory, web):
    """A server that reaches nothing but a mirror and a folder."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "local").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        host = "https://pipelinedata.blob.core.windows.net"
        patch.setenv("LAZULITE_URL_ALIASES", f"{host}={web.url}/mirror")
        patch.setenv("LAZULITE_LOCAL_FOLDERS", str(folder / "local"))
        with running(folder) as live:
            live.local = folder / "local"
            live.batch("names", NAMES)
            yield live


def scored(live, **properties):
    """The rows of a job; its error if it failed."""
    url = f"{live.base}/inference/names/jobs"
    headers = {"authorization": f"Bearer {live.token('https://ml.azure.com')}"}
    started = live.http.post(url, json={"properties": properties}, headers=headers)
    assert started.status_code in {200, 201}, started.text
    name = started.json()["name"]
    job = live.ended(name)
    return sorted(live.rows(name)) if job["status"] == "Completed" else job["error"]


def rows(blobs):
    return sorted(f"{name.rpartition('/')[2]} {data.decode()}" for name, data in blobs.items())


def test_the_published_folder_is_scored(closed):
    data = {"dataInputType": "DataUrl", "path": f"{SAMPLES}/mnist"}
    assert scored(closed, dataset=data) == rows(MNIST)


def test_the_published_file_is_scored(closed, web):
    given = {"in": {"jobInputType": "UriFile", "uri": f"{SAMPLES}/nytaxi/taxi.csv"}}
    for _ in range(2):
        assert scored(closed, inputData=given) == ["taxi.csv 1"]
    read = [seen for seen in web.seen if seen[:2] == ("GET", "/mirror/sampledata/nytaxi/taxi.csv")]
    assert len(read) == 1


def test_a_registered_pattern_is_scored(closed):
    closed.put("/data/some/versions/1", {"dataUri": f"{SAMPLES}/mnist/1*.png"})
    chosen = {name: data for name, data in MNIST.items() if name.startswith("mnist/1")}
    given = {"dataInputType": "DatasetVersion", "datasetName": "some", "datasetVersion": "1"}
    assert scored(closed, dataset=given) == rows(chosen)


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        (f"{SAMPLES}/none", "DataNotReachable", "check the path"),
        ("http://127.0.0.1:1/data.csv", "UrlNotAllowed", "LAZULITE_FETCH_ALLOW"),
        ("https://169.254.169.254/metadata/x.json", "UrlNotAllowed", "LAZULITE_FETCH_ALLOW"),
    ],
)
def test_data_that_cannot_be_had_fail_the_job_with_url_and_remedy(closed, url, code, said):
    error = scored(closed, inputData={"in": {"jobInputType": "UriFile", "uri": url}})
    assert error["code"] == code
    assert said in error["message"]
    assert url in error["message"]


def test_a_command_reads_fetched_data_and_a_local_folder(closed):
    (closed.local / "x.txt").write_text("local")
    none = {"credentialsType": "None"}
    store = {"datastoreType": "LocalFolder", "folder": str(closed.local), "credentials": none}
    closed.put("/datastores/local", store)
    command = "cat ${{inputs.taxi}} ${{inputs.mine}}/x.txt > ${{outputs.out}}/both"
    properties = {
        "jobType": "Command",
        "command": command,
        "environmentId": closed.environment(),
        "computeId": closed.cluster(),
        "inputs": {
            "taxi": {"jobInputType": "uri_file", "uri": f"{SAMPLES}/nytaxi/taxi.csv"},
            "mine": {"jobInputType": "uri_folder", "uri": "azureml://datastores/local/paths/"},
        },
        "outputs": {
            "out": {"jobOutputType": "uri_folder", "uri": "azureml://datastores/local/paths/out"}
        },
    }
    answer = closed.call("PUT", "/jobs/both", {"properties": properties}, api="2023-10-01")
    assert answer.status_code in {200, 201}, answer.text
    assert closed.ended("both")["status"] == "Completed", closed.ended("both")
    assert (closed.local / "out" / "both").read_text() == "1local"
