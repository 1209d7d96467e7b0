"""Ctrl-C and closed pipes: no stack, the exit codes of shells, nothing half done."""

import contextlib
import os
import signal
import subprocess
import sys
import threading

import pytest

from lazulite.cli.http import Http, Request
from lazulite.cli.parallel import threads

LAZULITE = [sys.executable, "-m", "lazulite"]
MODULE = "import os, signal, sys; sys.argv[1:] = ['version']; "


def test_ctrl_c_while_modules_are_imported_is_silent():
    code = (
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'knack':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from lazulite.__main__ import run\n"
        "run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", MODULE + "\n" + code], capture_output=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("line", ["version", "-h", "ml -h"])
def test_a_closed_pipe_is_silent(line):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*LAZULITE, *line.split()], stdout=writer, stderr=subprocess.PIPE, timeout=120
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_command_runs_without_any_output(tmp_path):
    line = f"{' '.join(LAZULITE)} version >&- 2>&-; echo $? > {tmp_path / 'code'}"
    subprocess.run(["sh", "-c", line], check=True, timeout=120)
    assert (tmp_path / "code").read_text() == "0\n"


def interrupted(server, lazulite, monkeypatch, line):
    """Ctrl-C when the first bytes of a blob are on their way, which the server never takes."""
    held, pressed = threading.Event(), threading.Lock()
    handler = server.RequestHandlerClass
    blob = handler.blob

    def stuck(self, asked):
        if asked.method == "PUT":
            if pressed.acquire(blocking=False):  # the first one only
                os.kill(os.getpid(), signal.SIGINT)
            held.wait(300)
            self.close_connection = True
        return blob(self, asked)

    monkeypatch.setattr(handler, "blob", stuck)
    monkeypatch.setattr(server, "handle_error", lambda *_: None)  # nobody reads the answers
    try:
        return lazulite(*line.split())
    finally:
        held.set()


def test_ctrl_c_in_an_upload_registers_nothing(server, lazulite, monkeypatch, tmp_path):
    (tmp_path / "model").mkdir()
    for name in range(30):
        (tmp_path / "model" / f"{name}.bin").write_bytes(b"x" * 1000)
    line = f"ml model create -n m -v 1 -p {tmp_path / 'model'}"
    code, out, err = interrupted(server, lazulite, monkeypatch, line)
    assert (code, out) == (130, "")
    assert "nothing of it is registered. The same command goes on." in err
    assert "Traceback" not in err
    assert not server.sent("PUT", "models/m/versions/1")
    assert len([each for each in server.requests if each.path.startswith("/store.blob")]) < 30


def test_an_interrupted_pool_waits_for_nobody(server):
    held = threading.Event()
    server.answers[("GET", "/slow")] = Slow(held)
    http = Http(None)
    request = Request(method="GET", url=f"{server.url}/slow")
    begun = threading.Event()

    def ask(_):
        begun.set()
        return http.send(request)

    try:
        with contextlib.suppress(KeyboardInterrupt), threads(2, http) as pool:
            asked = [pool.submit(ask, None) for _ in range(100)]
            assert begun.wait(60)
            raise KeyboardInterrupt
        assert all(each.done() for each in asked)
        assert any(each.cancelled() for each in asked)
    finally:
        held.set()
        http.close()


class Slow(list):
    """An answer that waits."""

    def __init__(self, held):
        super().__init__([(200, {}, {})])
        self.held = held

    def __getitem__(self, place):
        self.held.wait(300)
        return super().__getitem__(place)
