"""One server per module and script, spoken to over HTTP alone: ours, or the one it stands in for.

    LAZULITE_CONTRACT=VENV/bin/azmlinfsrv pytest tests/serving/contract

runs the same cases against azureml-inference-server-http, whose contract they are; the few marked
`ours` say where `lazulite serve` differs on purpose.
"""

import contextlib
import dataclasses
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from tests import science
from tests.live import wait_for

GENUINE = os.environ.get("LAZULITE_CONTRACT")
OURS = [sys.executable, "-m", "lazulite", "serve"]
READY = "ready for serving traffic"


def pytest_collection_modifyitems(items):
    for item in items:
        if GENUINE and item.get_closest_marker("ours"):
            item.add_marker(pytest.mark.skip(reason="where Lazulite differs on purpose"))


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


class Server:
    """A process that serves folder/score.py, as a user would start it."""

    def __init__(self, folder, options=(), env=None, *, script="score.py", python=None):
        self.folder, self.port, self.log_path = folder, free_port(), folder / "log"
        command = [GENUINE] if GENUINE else [*OURS, *(["--python", python] if python else [])]
        script = ["--entry_script", script] if script else []
        port = [] if "--port" in options else ["--port", str(self.port)]
        base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *script, *port, *options],
                cwd=folder,
                env={**base, **(env or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ready(self, count=1):
        wait_for(lambda: self.text.count(READY) >= count or self.process.poll() is not None)
        assert self.process.poll() is None, self.text
        return self

    @property
    def text(self):
        return self.log_path.read_text()

    def has_logged(self, pattern):
        """A line that matches; waits for it."""
        with contextlib.suppress(AssertionError):
            wait_for(lambda: re.search(pattern, self.text, re.MULTILINE), 15)
        found = re.search(pattern, self.text, re.MULTILINE)
        assert found, f"{pattern} is not in:\n{self.text}"
        return found

    def call(self, method, target="/score", body=None, headers=None, port=None):
        """One request on a connection of its own."""
        link = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        with contextlib.closing(link):
            link.request(method, target, body, headers or {})
            response = link.getresponse()
            return Answer(response.status, response.headers, response.read())

    def text_call(self, body=b"", method="POST", target="/score", **headers):
        """POST as text/plain; keyword names become header names, _ as -."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call(method, target, body, {"Content-Type": "text/plain", **given})

    def do(self, expression, **headers):
        """What a script that evaluates its input makes of an expression."""
        return self.text_call(expression.encode(), **headers)

    def raw(self, data):
        """Bytes as they are; all that comes back until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as link:
            link.sendall(data)
            return b"".join(iter(lambda: link.recv(65536), b""))

    def listens(self):
        """Whether it takes connections."""
        with socket.socket() as link:
            return link.connect_ex(("127.0.0.1", self.port)) == 0

    def ends(self):
        """Its exit code."""
        return self.process.wait(60)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def free_port():
    with socket.create_server(("", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def serving(folder, text, options=(), env=None, **how):
    """A server of the script's text, which may not start."""
    (folder / "score.py").write_text(textwrap.dedent(text))
    server = Server(folder, options, env, **how)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def serve(tmp_path):
    """serve(text, options, env) starts a server; it ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *given, **how: stack.enter_context(serving(tmp_path, *given, **how))


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory):
    """The same for all tests of a module."""
    with contextlib.ExitStack() as stack:

        def start(text, options=(), env=None, **how):
            folder = tmp_path_factory.mktemp("served")
            return stack.enter_context(serving(folder, text, options, env, **how)).ready()

        yield start


@pytest.fixture(name="science_python", scope="session")
def _science_python():
    return None if GENUINE else science.science_python()
