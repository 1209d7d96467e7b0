"""A server for tests takes nothing from another one, and leaves nothing behind."""

import os

import pytest

from lazulite.core.errors import LazuliteError
from lazulite.testing.server import start, stop
from tests.live import processes_of


def test_a_folder_that_has_a_server_is_refused_and_the_server_goes_on(server, tmp_path):
    told = (server.data_dir / "server.json").read_bytes()
    with pytest.raises(LazuliteError, match="runs on"):
        start(server.data_dir, (), os.environ, tmp_path / "log")
    assert (server.data_dir / "server.json").read_bytes() == told
    assert server.call("GET", "").status_code == 200


def test_nothing_is_left_behind(tmp_path):
    data_dir, log = tmp_path / "data", tmp_path / "log"
    environ = {**os.environ, "LAZULITE_DETACH": "1"}
    killed = start(data_dir, (), environ, log)
    killed.process.kill()
    killed.process.wait()
    assert processes_of(data_dir), "its front door goes on"
    with pytest.raises(LazuliteError, match="bogus"):
        start(data_dir, ["--isolation=bogus"], environ, log)
    assert processes_of(data_dir) == []
    started = start(data_dir, (), environ, log)
    assert started.state["pid"] == started.process.pid
    stop(started)
    assert processes_of(data_dir) == []
    assert not (data_dir / "server.json").exists()
