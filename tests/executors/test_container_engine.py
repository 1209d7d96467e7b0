"""Which engine is found on a machine, and what of its silence is told."""

import socket
import threading

import pytest

from lazulite.executors.container_engine import Engine, EngineError, find_engine
from tests.engine_answers import answering


@pytest.fixture
def place(tmp_path):
    return tmp_path / "engine.sock"


def test_an_engine_is_one_that_accepts_connections(place):
    env = {"DOCKER_HOST": f"unix://{place}"}
    assert find_engine(env) is None
    with answering(place):
        assert find_engine(env) == str(place)
    assert place.exists()
    assert find_engine(env) is None


def test_engines_of_other_machines_are_none():
    assert find_engine({"DOCKER_HOST": "tcp://localhost:2375"}) is None


def test_an_answer_that_breaks_off_is_an_error_of_the_engine(place):
    with socket.create_server(str(place), family=socket.AF_UNIX) as listener:
        thread = threading.Thread(target=_break_off, args=(listener,))
        thread.start()
        with pytest.raises(EngineError, match="broke off"):
            Engine(str(place)).info()
        thread.join()


def _break_off(listener):
    with listener.accept()[0] as connection:
        connection.recv(9999)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")
