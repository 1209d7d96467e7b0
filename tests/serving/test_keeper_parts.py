"""What a keeper decides, and the parts it is made of, without any replica process."""

import json
import os
import socket

import pytest

from lazulite.serving.keeper_spec import Folders, KeeperSpec, replica_environment
from lazulite.serving.keeper_status import StatusFile
from lazulite.serving.replica import restart_delay
from lazulite.serving.replica_log import ReplicaLog
from lazulite.serving.replica_socket import ReplicaSocket


def spec(**fields):
    own = {"python": "/env/bin/python", "worker_path": "/w"}
    return KeeperSpec(**own, sockets=("/s",), waiting_socket="/w.sock", **fields)


def environment(inherited=None, **fields):
    return replica_environment(spec(**fields), inherited or {}, Folders("/imports", "/empty"))


def test_restarts_are_spaced_out_up_to_half_a_minute():
    delays = [restart_delay(failures) for failures in (0, 1, 2, 3, 9, 10, 1000)]

    assert delays == pytest.approx([0, 0.1, 0.2, 0.4, 25.6, 30, 30])


@pytest.mark.parametrize(
    ("asked", "limit"),
    [
        ("100", "100"),
        ("9000", "5000"),
        ("0", "5000"),
        ("x", "5000"),
        ("²", "5000"),
        ("9" * 5000, "5000"),
    ],
)
def test_time_limit_of_the_script_may_only_be_lower_than_the_deployments(asked, limit):
    assert environment(env={"SCORING_TIMEOUT_MS": asked})["SCORING_TIMEOUT_MS"] == limit


def test_variables_of_the_deployment_win_and_its_pythonpath_comes_second():
    env = environment(
        {"PATH": "/bin", "TZ": "UTC", "OTHER": "x"}, env={"TZ": "CET", "PYTHONPATH": "/mine"}
    )

    assert env["PATH"] == "/env/bin:/bin"
    assert (env["TZ"], env["PYTHONPATH"]) == ("CET", "/imports:/mine")
    assert "OTHER" not in env


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(path)
    except OSError:
        client.close()
        raise
    return client


def test_hidden_socket_is_found_by_nobody_and_keeps_those_who_wait(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    waiting = ReplicaSocket("s")
    waiting.show()
    with connect("s") as client:
        waiting.hide()
        with pytest.raises(FileNotFoundError):
            connect("s")

        with socket.socket(fileno=os.dup(waiting.fileno())) as listener:
            accepted, _ = listener.accept()
        with accepted:
            accepted.sendall(b"x")
        assert client.recv(1) == b"x"
    waiting.close()


def test_closed_socket_turns_away_those_who_wait_and_can_be_opened_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    closing = ReplicaSocket("s")
    closing.show()
    with connect("s") as client:
        client.sendall(b"hello")
        closing.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert list(tmp_path.iterdir()) == []

    closing.show()
    connect("s").close()
    closing.close()


def test_socket_file_of_an_earlier_keeper_is_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind("s")
    fresh = ReplicaSocket("s")
    fresh.show()

    connect("s").close()
    fresh.close()


def test_long_log_is_moved_aside_while_its_writers_go_on(tmp_path):
    log = ReplicaLog(tmp_path / "logs" / "r.log", limit=10)
    with log.open() as writer:
        writer.write(b"0123456789ab\n")
        writer.flush()
        log.rotate()
        writer.write(b"next\n")
        writer.flush()
        log.rotate()

    assert log.path.read_bytes() == b"next\n"
    assert log.path.with_name("r.log.1").read_bytes() == b"0123456789ab\n"


def test_text_after_an_offset_is_the_tail_of_it(tmp_path):
    log = ReplicaLog(tmp_path / "r.log", limit=100)
    log.path.write_text("before|after-end")

    assert log.text_from(7, 100) == "after-end"
    assert log.text_from(7, 3) == "end"
    assert log.text_from(16, 3) == ""


def test_status_that_could_not_be_written_is_written_later(tmp_path):
    status = StatusFile(tmp_path / "folder" / "status.json")
    status.write({"state": "ready"})
    (tmp_path / "folder").mkdir()

    status.write({"state": "ready"})

    assert json.loads((tmp_path / "folder" / "status.json").read_text())["state"] == "ready"
