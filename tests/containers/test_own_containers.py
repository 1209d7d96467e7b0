"""An image that brings its own server, behind an endpoint."""

import os
import signal
import socket

import pytest

from tests.engine import IMAGE
from tests.live import processes_of, wait_for

pytestmark = [pytest.mark.docker, pytest.mark.slow]

SERVER = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    asked, ill = 0, False

    def do_GET(self):
        Handler.asked += 1
        wrong = Handler.ill if self.path == "/live" else Handler.asked < 3
        self.answer(503 if wrong else 200, {"path": self.path})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if body == "fall ill":
            Handler.ill = True
        folder = os.environ["AZUREML_MODEL_DIR"]
        with open(os.path.join(folder, "weights.txt")) as file:
            weights = file.read()
        said = {"path": self.path, "body": body, "model": folder, "weights": weights}
        self.answer(418 if body == "teapot" else 200, {**said, "pid": os.getpid()})

    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

print("own server says hello", flush=True)
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
DOCKERFILE = f"""FROM {IMAGE}
COPY server.py /server.py
CMD ["python3", "/server.py"]
"""
QUICK = {"initialDelay": "PT1S", "period": "PT1S", "timeout": "PT2S", "failureThreshold": 30}


def put(live, path, properties):
    answer = live.call("PUT", path, {"properties": properties}, api="2023-10-01")
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()["id"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


@pytest.fixture
def served(own_docker_server):
    """The server, with an own container behind the endpoint `own`."""
    live, port = own_docker_server, free_port()
    folder = live.blobs / "own"
    (folder / "model").mkdir(parents=True)
    (folder / "server.py").write_text(SERVER)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "model/weights.txt").write_text("heavy")
    uri = "azureml://datastores/workspaceblobstore/paths/own"
    names = {"scoring": "/v1/my%20score", "readiness": "/ready", "liveness": "/live"}
    routes = {f"{name}Route": {"path": path, "port": port} for name, path in names.items()}
    built = {"build": {"contextUri": uri}, "inferenceConfig": routes}
    environment = put(live, "/environments/own/versions/1", built)
    model = put(live, "/models/half/versions/3", {"modelUri": f"{uri}/model/weights.txt"})
    live.put("/onlineEndpoints/own", {"authMode": "Key", "traffic": {"blue": 100}})
    deployment = {
        "endpointComputeType": "Managed",
        "environmentId": environment,
        "model": model,
        "environmentVariables": {"PORT": str(port)},
        "modelMountPath": "/var/mounted",
        "livenessProbe": {**QUICK, "failureThreshold": 2},
    }
    answer = live.call(
        "PUT",
        "/onlineEndpoints/own/deployments/blue",
        {"location": "local", "properties": deployment, "sku": {"name": "D", "capacity": 1}},
        api="2023-10-01",
    )
    assert answer.status_code == 201, answer.text
    shown = live.settled("/onlineEndpoints/own/deployments/blue")
    assert shown["properties"]["provisioningState"] == "Succeeded", shown["properties"]
    return live


def keeper_of(live):
    (keeper,) = [
        pid for pid, line in processes_of(live.data_dir)
        if "-m lazulite.serving.keeper" in line and "sh -c" not in line
    ]  # fmt: skip
    return keeper


def test_an_own_container_is_scored_watched_and_taken_along(containers, served):
    live = served
    said = live.score("own", b"hello").json()
    assert (said["path"], said["body"]) == ("/v1/my%20score", "hello")
    assert (said["model"], said["weights"]) == ("/var/mounted/half/3", "heavy")
    key = {"authorization": f"Bearer {live.key('own')}"}
    other = live.http.post(f"{live.base}/inference/own/other/path", content=b"x", headers=key)
    assert other.json()["path"] == "/other/path"
    refused = live.score("own", b"teapot")
    assert refused.status_code == 424
    assert refused.headers["ms-azureml-model-error-statuscode"] == "418"
    logs = live.call("POST", "/onlineEndpoints/own/deployments/blue/getLogs", {"tail": 100}).json()[
        "content"
    ]
    assert "own server says hello" in logs

    (first,) = containers()
    live.score("own", b"fall ill")
    wait_for(lambda: containers() and containers() != [first])
    wait_for(lambda: live.score("own").status_code == 200)

    (second,) = containers()
    live.kill()
    os.kill(keeper_of(live), signal.SIGKILL)
    wait_for(lambda: containers() == [])
    live.up()
    wait_for(lambda: live.score("own").status_code == 200)
    assert containers() != [second]
