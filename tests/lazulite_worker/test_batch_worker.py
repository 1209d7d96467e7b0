"""The worker process itself, under every interpreter found."""

import json
import mmap
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lazulite.batch.inputs import ByFiles, InputsFile
from lazulite_worker import batch_wire as wire

SOURCES = Path(__file__).parents[2] / "src"
PYTHONS = sorted(
    python
    for version in Path.home().joinpath(".pyenv/versions").glob("3.*")
    if (python := version / "bin" / "python").exists()
)
SCRIPT = """
import logging, os, sys
from azureml_user.parallel_run import EntryScript
def init():
    print("argv", sys.argv[1:3])
    logging.info("hello from init")
    EntryScript().logger.info("noted by %s", EntryScript().agent_name)
def run(mini_batch):
    print("é", len(mini_batch))
    if mini_batch[0].endswith("bad"):
        raise ValueError("bad input")
    if mini_batch[0].endswith("exit"):
        sys.exit("enough")
    return [os.path.basename(path) for path in mini_batch]
def shutdown():
    print("shutdown")
"""


class Process:
    """A worker process and the supervisor's end of its connection."""

    def __init__(self, folder, python, paths):
        inputs = InputsFile(folder)
        inputs.write(ByFiles([os.fsencode(path) for path in paths], 2))
        self.socket, far = socket.socketpair()
        self._slot_file = os.memfd_create("slot")
        os.ftruncate(self._slot_file, wire.SLOT_BYTES)
        self.slot = mmap.mmap(self._slot_file, wire.SLOT_BYTES)
        descriptors = (far.fileno(), self._slot_file, inputs.descriptor)
        self.process = subprocess.Popen(
            [str(python), "-m", "lazulite_worker.batch"],
            cwd="/",
            env={
                "PYTHONPATH": str(SOURCES),
                "LAZULITE_FDS": ",".join(map(str, descriptors)),
                "LAZULITE_BATCH_AGENT": "process000",
                "LAZULITE_BATCH_LOG_DIR": str(folder / "entry"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            pass_fds=descriptors,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        far.close()
        inputs.close()
        self._reader = self.socket.makefile("rb")

    def send(self, kind, body=b""):
        self.socket.sendall(wire.FRAME.pack(len(body), kind) + body)

    def configure(self, folder, text=SCRIPT, **changed):
        (folder / "score.py").write_text(text)
        config = {
            "script": str(folder / "score.py"),
            "code_dir": str(folder),
            "argv": ["score.py", "--logging_level", "INFO"],
            "summary_only": False,
            "logging_level": "info",
        }
        self.send(wire.CONFIGURE, json.dumps({**config, **changed}).encode())

    def receive(self):
        length, kind = wire.FRAME.unpack(self._reader.read(wire.FRAME.size))
        return kind, self._reader.read(length)

    def score(self, *numbers):
        """Results by mini-batch: raised, succeeded, rows, payload."""
        self.send(wire.TASKS, b"".join(map(wire.TASK.pack, numbers)))
        return self.results(len(numbers))

    def results(self, count):
        """The next so many results."""
        found = {}
        while len(found) < count:
            kind, body = self.receive()
            assert kind == wire.RESULTS
            while body:
                number, raised, succeeded, rows, _, length = wire.RESULT.unpack_from(body)
                end = wire.RESULT.size + length
                found[number] = (raised, succeeded, rows, body[wire.RESULT.size : end].decode())
                body = body[end:]
        return found

    def end(self):
        out, err = self.process.communicate(timeout=30)
        self._reader.close()
        self.socket.close()
        self.slot.close()
        os.close(self._slot_file)
        return self.process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("python", PYTHONS or [sys.executable], ids=lambda path: path.parts[-3])
def test_a_worker_scores_mini_batches(tmp_path, python):
    worker = Process(tmp_path, python, ["/in/a", "/in/b", "/in/bad", "/in/c", "/in/d"])
    worker.configure(tmp_path)
    assert worker.receive() == (wire.READY, b"")
    found = worker.score(0, 2, 1)
    assert found[0] == (0, 2, 2, "a\nb\n")
    assert found[2] == (0, 1, 1, "d\n")
    assert found[1][:3] == (1, 0, 0)
    assert found[1][3].endswith("ValueError: bad input\n")
    assert "lazulite_worker" not in found[1][3]
    worker.send(wire.STOP)
    code, out, err = worker.end()
    assert (code, err) == (0, "")
    assert "argv ['--logging_level', 'INFO']" in out
    assert "hello from init" in out
    assert out.endswith("é 2\né 1\né 2\nshutdown\n")
    assert "noted by process000" in (tmp_path / "entry/process000.log.txt").read_text()


GATED = """
import os, time
def run(mini_batch):
    while mini_batch[0] == "/in/slow" and not os.path.exists("go"):
        time.sleep(0.01)
    return mini_batch
"""


def test_a_result_does_not_wait_for_a_long_mini_batch_behind_it(tmp_path):
    """Of one chunk: a kill of the process, or an hour, must not cost what was scored."""
    worker = Process(tmp_path, sys.executable, ["/in/a", "/in/b", "/in/slow"])
    worker.configure(tmp_path, GATED)
    assert worker.receive() == (wire.READY, b"")
    worker.send(wire.TASKS, b"".join(map(wire.TASK.pack, (0, 1))))
    assert worker.results(1) == {0: (0, 2, 2, "/in/a\n/in/b\n")}
    (tmp_path / "go").touch()
    assert worker.results(1) == {1: (0, 1, 1, "/in/slow\n")}
    worker.send(wire.STOP)
    assert worker.end()[0] == 0


def test_the_slot_is_idle_between_mini_batches(tmp_path):
    worker = Process(tmp_path, sys.executable, ["/in/a"])
    worker.configure(tmp_path)
    worker.receive()
    worker.score(0)
    start, number = wire.SLOT.unpack_from(worker.slot, 0)
    assert number == wire.IDLE
    assert start > 0
    worker.send(wire.STOP)
    worker.end()


def test_sys_exit_in_run_fails_the_mini_batch_only(tmp_path):
    worker = Process(tmp_path, sys.executable, ["/in/exit", "/in/a", "/in/b"])
    worker.configure(tmp_path)
    worker.receive()
    assert worker.score(0)[0][3].endswith("SystemExit: enough\n")
    assert worker.score(1)[1] == (0, 1, 1, "b\n")
    worker.send(wire.STOP)
    assert worker.end()[0] == 0


def test_rows_are_only_counted_for_summary_only(tmp_path):
    worker = Process(tmp_path, sys.executable, ["/in/a", "/in/b"])
    worker.configure(tmp_path, summary_only=True)
    worker.receive()
    assert worker.score(0)[0] == (0, 2, 2, "")
    worker.send(wire.STOP)
    worker.end()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def init(): raise OSError('no model')\ndef run(b): return b", "OSError: no model"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def init(:", "SyntaxError"),
        ("def init(): pass", "defines no run(mini_batch)"),
        ("import sys\ndef init(): sys.exit(4)\ndef run(b): return b", "SystemExit: 4"),
    ],
)
def test_a_script_that_does_not_start_says_why(tmp_path, script, reason):
    worker = Process(tmp_path, sys.executable, ["/in/a"])
    worker.configure(tmp_path, script)
    kind, text = worker.receive()
    assert kind == wire.INIT_FAILED
    assert reason in text.decode()
    assert worker.end()[0] == 3


def test_a_worker_ends_when_its_supervisor_is_gone(tmp_path):
    worker = Process(tmp_path, sys.executable, ["/in/a"])
    worker.configure(tmp_path)
    worker.receive()
    worker.socket.shutdown(socket.SHUT_RDWR)
    assert worker.end()[0] == 0


def test_a_script_may_be_named_as_a_module_of_the_standard_library(tmp_path):
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "json.py").write_text("def run(mini_batch): return mini_batch")
    worker = Process(tmp_path, sys.executable, ["/in/a"])
    worker.configure(tmp_path, script=str(folder / "json.py"))
    assert worker.receive()[0] == wire.READY
    assert worker.score(0)[0][3] == "/in/a\n"
    worker.send(wire.STOP)
    worker.end()
