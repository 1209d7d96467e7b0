"""`lazulite serve`: one script, in the place of azmlinfsrv. Source: spec/ONLINE.md 5.1, 5.2."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from lazulite.serving.standalone import BAD_ARGUMENT
from lazulite.serving.standalone_settings import BadArgumentError, read_standalone
from tests.live import wait_for

SCRIPT = """
import json, os, time
def init():
    print("model in", os.environ.get("AZUREML_MODEL_DIR"))
def run(data):
    asked = json.loads(data)
    time.sleep(asked.get("sleep", 0))
    return {"pid": os.getpid(), "asked": asked}
"""


def free_port():
    with socket.create_server(("", 0)) as listener:
        return listener.getsockname()[1]


class Served:
    def __init__(self, folder, script=SCRIPT, options=(), env=None):
        (folder / "score.py").write_text(script)
        self.port, self.log = free_port(), folder / "log"
        command = [sys.executable, "-m", "lazulite", "serve", "--entry_script", "score.py"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), *options],
                cwd=folder,
                env={**os.environ, **(env or {})},
                stdout=log,
                stderr=log,
            )

    @property
    def text(self):
        return self.log.read_text()

    def ready(self, count=1):
        wait_for(lambda: self.text.count("ready for serving traffic") >= count)
        return self

    def post(self, body, port=None, **more):
        url = f"http://127.0.0.1:{port or self.port}/score"
        return httpx2.post(url, json=body, timeout=20, **more)

    def ends(self):
        return self.process.wait(timeout=30)


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(*given, **named):
        started.append(Served(tmp_path, *given, **named))
        return started[-1]

    yield start
    for one in started:
        one.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            one.process.wait(timeout=30)


def test_sigterm_waits_for_the_request_that_runs(serve):
    server = serve().ready()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        body = json.dumps({"sleep": 1}).encode()
        head = f"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    assert server.ends() == 0


def test_a_killed_worker_and_one_that_hangs_are_replaced(serve):
    env = {"WORKER_TIMEOUT": "1"}
    server = serve(options=("--worker_count", "2"), env=env).ready(2)
    pid = server.post({}).json()["pid"]
    os.kill(pid, signal.SIGKILL)
    server.ready(3)
    with pytest.raises(httpx2.TransportError):
        server.post({"sleep": 60})
    server.ready(4)
    assert server.post({}).json()["pid"] != pid


def test_health_is_answered_after_every_worker_was_replaced(serve):
    port = free_port()
    server = serve(options=("--worker_count", "2", "--health_port", str(port))).ready(2)
    pid = server.process.pid
    for worker in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(worker), signal.SIGKILL)
    server.ready(4)
    for _ in range(4):
        assert httpx2.get(f"http://127.0.0.1:{port}/", timeout=30).status_code == 200


def test_a_port_in_use_ends_the_server(serve):
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        server = serve(options=("--port", str(port)))
        assert server.ends() == BAD_ARGUMENT
        assert f"Port {port} is in use." in server.text


@pytest.mark.parametrize(
    "options",
    [("--port", "0"), ("--port", "65536"), ("--worker_count", "0"), ("--python", "/nowhere")],
)
def test_bad_arguments_end_with_1(serve, options):
    server = serve(options=options)
    assert server.ends() == BAD_ARGUMENT
    assert options[1] in server.text


def test_settings_come_from_arguments_then_variables_then_the_config_file(tmp_path):
    config = tmp_path / "config.json"
    said = {"AZUREML_ENTRY_SCRIPT": "from_file.py", "WORKER_COUNT": 3, "SCORING_TIMEOUT_MS": 7}
    config.write_text(json.dumps(said))
    given = ["--config_file", str(config), "--worker_count", "4"]
    environ = {"SCORING_TIMEOUT_MS": "9", "SERVER_PORT": "1", "SEPERATE_HEALTH_ENDPOINT": "true"}
    settings = read_standalone(given, environ)
    assert settings.env["AZUREML_ENTRY_SCRIPT"] == "from_file.py"
    assert (settings.worker_count, settings.env["SCORING_TIMEOUT_MS"]) == (4, "9")
    assert settings.ports == (5001, 5000)


def test_without_a_script_there_is_nothing_to_serve(tmp_path):
    with pytest.raises(BadArgumentError, match="--entry_script"):
        read_standalone([], {})
    (tmp_path / "broken.json").write_text("[")
    with pytest.raises(BadArgumentError, match="cannot be read"):
        read_standalone(["--config_file", str(tmp_path / "broken.json")], {})


@pytest.mark.parametrize("count", ["²", "0", "9" * 5000])
def test_a_number_of_workers_that_is_none_is_refused(count):
    with pytest.raises(BadArgumentError, match=r"WORKER_COUNT is .* a whole number above 0"):
        read_standalone(["--entry_script", "score.py"], {"WORKER_COUNT": count})
