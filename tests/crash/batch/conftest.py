"""A workbench for batch jobs of real processes: nodes, supervisors, scripts, files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "src"
FAST = """
import os
def init(): pass
def run(mini_batch): return [os.path.basename(path) + " ok" for path in mini_batch]
"""


def until(condition, seconds=30.0):
    """Wait for the condition; fails the test when the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)
    return found


class Workbench:
    def __init__(self, folder, run_folder):
        self.folder, self._run = folder, run_folder
        self.job_dir, self.output_dir = folder / "job", folder / "output"
        self.logs, self.inputs = folder / "logs", folder / "inputs"
        self.nodes, self._started = {}, []
        for made in (self.job_dir, self.inputs, folder / "code"):
            made.mkdir()

    @property
    def output(self):
        return self.output_dir / "predictions.csv"

    @property
    def progress(self):
        path = self.job_dir / "progress.json"
        return json.loads(path.read_text()) if path.exists() else {"state": None, "done": 0}

    def files(self, count):
        """Make input files; the rows that FAST gives for them."""
        for number in range(count):
            (self.inputs / f"f{number:05}.txt").write_text(str(number))
        return "".join(f"f{number:05}.txt ok\n" for number in range(count))

    def env(self, **more):
        return {"AZUREML_MODEL_DIR": str(self.folder), **more}

    def until(self, condition):
        return until(condition)

    def until_done_or_ended(self, supervisor, done):
        """Until more than so many mini-batches are done, or the supervisor has ended."""
        until(lambda: self.progress["done"] > done or supervisor.poll() is not None)

    def command(self, pid):
        return _read(pid, "cmdline")

    def write_job(self, script=FAST, **changed):
        (self.folder / "code" / "score.py").write_text(script or "")
        job = {
            "name": "job",
            "python": sys.executable,
            "worker_path": str(SOURCES),
            "script": str(self.folder / "code" / "score.py") if script else None,
            "code_dir": str(self.folder / "code"),
            "env": self.env(),
            "inputs": [str(self.inputs)],
            "mini_batch_size": 10,
            "processes_per_node": 2,
            "max_retries": 3,
            "timeout_s": 30,
            "init_timeout_s": 30,
            "error_threshold": -1,
            "output_action": "append_row",
            "output_file_name": "predictions.csv",
            "output_dir": str(self.output_dir),
            "logging_level": "info",
            "log_dir": str(self.logs),
        }
        (self.job_dir / "job.json").write_text(json.dumps({**job, **changed}))

    def start_node(self, name="node0"):
        """Start a node (in place of one of that name) and list it in nodes.json."""
        socket = str(self._run / f"{name}-{len(self._started)}.sock")
        node = self._spawn("lazulite.executors.node", socket, name)
        self.nodes[name] = (node, socket)
        self.list_nodes(*self.nodes)
        return node

    def list_nodes(self, *names):
        nodes = [{"id": name, "socket": self.nodes[name][1]} for name in names]
        fresh = self.job_dir / "nodes.new"
        fresh.write_text(json.dumps({"nodes": nodes}))
        fresh.replace(self.job_dir / "nodes.json")

    def start_supervisor(self, before=()):
        return self._spawn("lazulite.batch.supervisor", str(self.job_dir), before=before)

    def run(self, nodes=1, **job):
        """A job from start to end; its exit code and last progress."""
        self.write_job(**job)
        for number in range(nodes):
            self.start_node(f"node{number}")
        return self.start_supervisor().wait(60), self.progress

    def processes(self):
        """Every live process of the job's workers and what they started, by environment."""
        mark = f"AZUREML_MODEL_DIR={self.folder}".encode()
        return [pid for pid in _pids() if mark in _read(pid, "environ").split(b"\0")]

    def clean_up(self):
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
        until(lambda: not self.processes())

    def _spawn(self, module, *arguments, before=()):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)}
        with (self.folder / f"{module}.log").open("ab") as log:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", module, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        return process


def _pids():
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def bench(tmp_path):
    # Unix socket paths are short, pytest's folders are not.
    run_folder = Path(tempfile.mkdtemp(prefix="lz", dir="/tmp"))
    workbench = Workbench(tmp_path, run_folder)
    yield workbench
    workbench.clean_up()
    shutil.rmtree(run_folder)


@pytest.fixture
def kill():
    """kill -9, for processes that may be gone already."""

    def do(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    return do
