"""A keeper as a real process, in a task folder of its own."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"

PID = """
import os
def init(): pass
def run(data): return os.getpid()
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Kept:
    """A keeper under test and its task folder."""

    def __init__(self, folder, code, replicas, **fields):
        self.folder, self.code = folder, code
        self.sockets = [str(folder / f"{index}.sock") for index in range(replicas)]
        self.waiting = str(folder / "w.sock")
        spec = {
            "python": sys.executable,
            "worker_path": str(SRC),
            "sockets": self.sockets,
            "waiting_socket": self.waiting,
            "code_dir": str(code),
            "env": {"AZUREML_ENTRY_SCRIPT": "score.py"},
            **fields,
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        self.start()

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lazulite.serving.keeper", "spec.json"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(SRC), "SERVER_SECRET": "hidden"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def status(self):
        try:
            return json.loads((self.folder / "status.json").read_text())
        except FileNotFoundError:
            return {"state": "none", "replicas": [], "error": None}

    def wait(self, condition):
        """Poll until the condition holds for the status, which is returned."""
        deadline = time.monotonic() + 30
        while not condition(status := self.status()):
            log = (self.folder / "log").read_text()
            assert time.monotonic() < deadline, json.dumps(status, indent=1) + log
            time.sleep(0.005)
        return status

    def wait_until_ready(self):
        return self.wait(
            lambda status: (
                status["replicas"] and all(one["state"] == "ready" for one in status["replicas"])
            )
        )

    def call(self, index=0, body="1"):
        return self.call_at(self.sockets[index], body)

    def call_waiting(self, body="1"):
        """A request to whichever replica takes it."""
        return self.call_at(self.waiting, body)

    def open(self, index=0):
        """A connection to a replica; the caller closes it."""
        return UnixConnection(self.sockets[index])

    def call_at(self, path, body):
        with contextlib.closing(UnixConnection(path)) as connection:
            connection.request("POST", "/score", body)
            return json.loads(connection.getresponse().read())

    def log(self, index=0):
        return (self.folder / "logs" / f"replica-{index}.log").read_text()

    def pids(self):
        return [one["pid"] for one in self.status()["replicas"] if one["pid"] is not None]

    def close(self):
        """End the keeper the hard way, which must end everything else."""
        self.process.kill()
        self.process.wait()
