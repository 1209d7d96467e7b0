"""The first process of a container, without one: under every interpreter, over a plain socket."""

import os
import select
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from lazulite.executors.node_wire import Link
from tests.lazulite_worker.test_interpreters import python  # noqa: F401 - a fixture

INSIDE = Path(__file__).parents[2] / "src/lazulite_worker/inside.py"


@pytest.fixture
def start(python, tmp_path):  # noqa: F811 - the fixture
    """Starts a command through it; gives the process and the other end of its connection."""
    started = []

    def go(code, descriptors, numbers):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "s"))
            listener.listen(1)
            process = subprocess.Popen([python, "-I", INSIDE, str(tmp_path / "s")])
            link = Link(listener.accept()[0])
        started.append((process, link))
        argv, env = [python, "-c", code], {"GREETING": "hello"}
        link.send({"argv": argv, "env": env, "cwd": "/", "numbers": numbers}, descriptors)
        return process, link

    yield go
    for process, link in started:
        link.close()
        process.wait(20)


def answer(link):
    while True:
        for message, _ in link.receive():
            return message
        select.select([link], [], [], 20)


def test_a_command_gets_its_descriptors_and_its_end_is_told(start):
    reading, writing = os.pipe()
    code = "import os, sys; os.write(7, os.environ['GREETING'].encode()); sys.exit(5)"
    process, link = start(code, [0, 1, 2, writing], [0, 1, 2, 7])
    os.close(writing)
    assert answer(link) == {"exited": 5}
    assert process.wait(20) == 0
    assert os.read(reading, 99) == b"hello"
    assert os.read(reading, 99) == b""
    os.close(reading)


def test_a_signal_is_passed_on_and_told_as_the_end(start):
    reading, writing = os.pipe()
    code = "import os, time; os.write(9, b'x'); time.sleep(60)"
    _, link = start(code, [0, 1, 2, writing], [0, 1, 2, 9])
    os.close(writing)
    assert os.read(reading, 1) == b"x"
    link.send({"signal": int(signal.SIGTERM)})
    assert answer(link) == {"exited": -signal.SIGTERM}
    os.close(reading)


def test_it_ends_when_nobody_listens_any_more(start):
    process, link = start("import time; time.sleep(1)", [0, 1, 2], [0, 1, 2])
    link.close()
    assert process.wait(20) == 137
