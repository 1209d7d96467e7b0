"""Replicas as the keeper starts them: a real process of lazulite_worker.serve on a Unix socket."""

import contextlib
import dataclasses
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from tests import science

SRC = Path(__file__).parents[2] / "src"


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Replica:
    """One process under test. said: what it wrote to its status descriptor."""

    def __init__(self, folder, python, env, options, shared=None):
        self.path = str(folder / "r.sock")
        self.log_path = folder / "log"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(100)
        worker = folder / "worker"
        worker.mkdir()
        (worker / "lazulite_worker").symlink_to(SRC / "lazulite_worker")
        status, status_end = os.pipe()
        numbers = [self.listener.fileno(), status_end]
        command = [python, "-m", "lazulite_worker.serve", *options]
        if shared is not None:
            numbers.append(shared.fileno())
            command.append(f"--waiting-fd={shared.fileno()}")
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, f"--socket-fd={numbers[0]}", f"--status-fd={status_end}"],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(worker), **env},
                cwd=worker,
                stdout=log,
                stderr=log,
                pass_fds=numbers,
                start_new_session=True,
            )
        os.close(status_end)
        with os.fdopen(status, "rb") as pipe:
            self.said = json.loads(pipe.read() or b"null")

    def call(self, method, target, body=None, headers=None):
        """One request on a connection of its own."""
        with contextlib.closing(UnixConnection(self.path)) as connection:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def score(self, value, **headers):
        """POST the value as JSON."""
        return self.call(
            "POST", "/score", json.dumps(value), {"Content-Type": "application/json", **headers}
        )

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(self.path)
        return connection

    def raw(self, data):
        """Send bytes, then read until the replica closes."""
        with self.connect() as connection:
            connection.sendall(data)
            received = b""
            while part := connection.recv(65536):
                received += part
            return received

    def log(self):
        return self.log_path.read_text()

    def wait_for_log(self, text):
        deadline = time.monotonic() + 30
        while text not in self.log():
            assert time.monotonic() < deadline, f"{text!r} is not in:\n{self.log()}"
            time.sleep(0.01)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.listener.close()


@pytest.fixture
def serve(tmp_path):
    """serve(script, ...) starts a replica of the script; it ends with the test.

    shared: a listening socket to serve besides its own.
    """
    with contextlib.ExitStack() as stack:

        def start(script=None, *, python=sys.executable, env=None, options=(), shared=None):
            folder = Path(tempfile.mkdtemp(prefix="lz-"))  # short: socket paths are limited
            stack.callback(shutil.rmtree, folder)
            variables = {"AML_APP_ROOT": str(tmp_path), **(env or {})}
            if script is not None:
                (tmp_path / "score.py").write_text(textwrap.dedent(script))
                variables.setdefault("AZUREML_ENTRY_SCRIPT", "score.py")
            replica = Replica(folder, python, variables, list(options), shared)
            stack.callback(replica.close)
            return replica

        yield start


@pytest.fixture(name="science_python", scope="session")
def _science_python():
    """An interpreter whose environment has mlflow, pandas, inference-schema and Azure's server."""
    return science.science_python()
