"""The keeper as a real process, with real replicas under it, some of them killed."""

import contextlib
import http.client
import os
import signal
import socket
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.serving.kept import PID

# init() takes as long as the file `slow` says, and fails while there is a file `broken`.
CHANGEABLE = """
import os, time
def init():
    if os.path.exists("broken"):
        raise RuntimeError("broken on purpose")
    if os.path.exists("slow"):
        time.sleep(float(open("slow").read()))
def run(data):
    return os.getpid()
"""


def is_running(pid):
    """True unless the process is gone, or is a zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(*pids):
    deadline = time.monotonic() + 30
    while alive := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < deadline, f"still running: {alive}"
        time.sleep(0.005)


def is_turned_away(client):
    """True if the connection ends without an answer."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_replicas_become_ready_on_private_sockets_of_their_own(keep):
    kept = keep(PID, replicas=2)

    status = kept.wait_until_ready()

    assert status["state"] == "ready"
    assert [kept.call(0), kept.call(1)] == [one["pid"] for one in status["replicas"]]
    assert [one["socket"] for one in status["replicas"]] == kept.sockets
    assert status["waiting_socket"] == kept.waiting
    paths = [*kept.sockets, kept.waiting]
    assert [stat.S_IMODE(Path(path).stat().st_mode) for path in paths] == [0o600] * 3
    assert "ready for serving traffic" in kept.log(1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this scheduling policy")
def test_a_replica_gives_way_to_the_front_door_and_the_one_that_replaces_it_does(keep):
    kept = keep(PID)
    (first,) = kept.wait_until_ready()["replicas"]
    assert os.sched_getscheduler(first["pid"]) == os.SCHED_BATCH

    os.kill(first["pid"], signal.SIGKILL)
    kept.wait(lambda status: status["replicas"][0]["restarts"] == 1)
    (second,) = kept.wait_until_ready()["replicas"]
    assert second["pid"] != first["pid"]
    assert os.sched_getscheduler(second["pid"]) == os.SCHED_BATCH


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this scheduling policy")
def test_replicas_that_share_a_port_do_not_give_way(keep):
    """Of two that do, one took both of two requests that came at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    kept = keep(PID, replicas=2, port=port)
    for replica in kept.wait_until_ready()["replicas"]:
        assert os.sched_getscheduler(replica["pid"]) == os.SCHED_OTHER


def test_request_that_comes_before_init_has_ended_waits_for_it(keep, tmp_path):
    (tmp_path / "slow").write_text("0.3")
    kept = keep(CHANGEABLE)
    kept.wait(lambda status: status["state"] == "starting")

    assert not Path(kept.sockets[0]).exists()
    assert kept.call_waiting() == kept.wait_until_ready()["replicas"][0]["pid"]


def test_replica_sees_its_variables_and_not_those_of_the_server(keep):
    kept = keep(
        "import os\ndef init(): pass\ndef run(data): return [dict(os.environ), os.getcwd()]",
        env={"AZUREML_ENTRY_SCRIPT": "score.py", "MINE": "1", "SCORING_TIMEOUT_MS": "9000"},
        request_timeout_ms=7000,
    )
    kept.wait_until_ready()

    seen, folder = kept.call()

    assert "SERVER_SECRET" not in seen
    assert (seen["MINE"], seen["SCORING_TIMEOUT_MS"]) == ("1", "7000")
    assert seen["PATH"].startswith(str(Path(sys.executable).parent) + ":")
    assert folder == seen["AML_APP_ROOT"] == str(kept.code)
    assert [path.name for path in Path(seen["PYTHONPATH"]).iterdir()] == ["lazulite_worker"]


def test_deployment_without_code_works_in_an_empty_folder(keep):
    kept = keep(PID, code_dir=None, env={}, max_init_failures=1)

    status = kept.wait(lambda status: status["state"] == "failed")

    assert "No module named 'main'" in status["error"]["message"]
    assert list((kept.folder / "app").iterdir()) == []


@pytest.mark.crash
def test_only_replica_is_replaced_and_clients_wait_meanwhile(keep, tmp_path):
    kept = keep(CHANGEABLE)
    first = kept.wait_until_ready()["replicas"][0]["pid"]
    (tmp_path / "slow").write_text("0.5")

    os.kill(first, signal.SIGKILL)
    second = kept.call_waiting()

    replica = kept.wait_until_ready()["replicas"][0]
    assert second == replica["pid"] != first
    assert (replica["restarts"], replica["exit"]) == (1, "signal 9")


@pytest.mark.crash
def test_socket_of_a_dead_replica_is_gone_until_its_replacement_is_ready(keep, tmp_path):
    kept = keep(CHANGEABLE, replicas=2)
    dead, alive = kept.wait_until_ready()["replicas"]
    (tmp_path / "slow").write_text("0.5")

    os.kill(dead["pid"], signal.SIGKILL)
    kept.wait(lambda status: status["replicas"][0]["state"] == "starting")

    with pytest.raises(FileNotFoundError):
        kept.call(0)
    assert kept.call(1) == alive["pid"]
    kept.wait_until_ready()
    assert kept.call(0) not in (dead["pid"], alive["pid"])


@pytest.mark.crash
def test_clients_in_the_backlog_of_a_dead_replica_are_turned_away(keep):
    kept = keep(
        "import os, time\ndef init(): pass\n"
        "def run(data):\n    time.sleep(float(data))\n    return os.getpid()",
        replicas=2,
        request_timeout_ms=60000,
    )
    dead = kept.wait_until_ready()["replicas"][0]["pid"]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3)]
        for client in clients:
            client.settimeout(10)
            client.connect(kept.sockets[0])
            client.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n30")
        os.kill(dead, signal.SIGKILL)

        assert [is_turned_away(client) for client in clients] == [True] * 3


@pytest.mark.crash
def test_when_the_last_ready_replica_dies_clients_wait_for_the_one_that_starts(keep, tmp_path):
    kept = keep(CHANGEABLE, replicas=2)
    one, two = kept.wait_until_ready()["replicas"]
    (tmp_path / "slow").write_text("0.5")
    os.kill(one["pid"], signal.SIGKILL)
    kept.wait(lambda status: status["replicas"][0]["state"] == "starting")
    os.kill(two["pid"], signal.SIGKILL)
    kept.wait(lambda status: status["state"] == "starting")

    assert not any(Path(path).exists() for path in kept.sockets)
    assert kept.call_waiting() not in (one["pid"], two["pid"])


@pytest.mark.crash
def test_no_request_fails_while_one_of_two_replicas_is_killed_if_clients_try_both(keep):
    kept = keep(PID, replicas=2)
    pids = {one["pid"] for one in kept.wait_until_ready()["replicas"]}
    stop, answered, failed = threading.Event(), [], []

    def client():
        while not stop.is_set():
            for index in (0, 1):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    answered.append(kept.call(index))
                    break
            else:
                failed.append(time.monotonic())

    threads = [threading.Thread(target=client) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for round_number in range(3):
            os.kill(kept.pids()[0], signal.SIGKILL)
            kept.wait(lambda status, n=round_number: status["replicas"][0]["restarts"] == n + 1)
            kept.wait_until_ready()
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert failed == []
    assert set(answered) & pids


@pytest.mark.crash
def test_processes_that_a_dead_replica_started_are_killed(keep):
    kept = keep(
        """
        import os, subprocess
        def init():
            global child
            child = subprocess.Popen(["sleep", "60"])
        def run(data): return [os.getpid(), child.pid]
        """
    )
    kept.wait_until_ready()
    replica, child = kept.call()

    os.kill(replica, signal.SIGKILL)

    wait_until_gone(child)


@pytest.mark.crash
def test_killed_keeper_takes_everything_with_it_and_another_starts_clean(keep):
    kept = keep(
        """
        import os, subprocess
        def init():
            global child
            child = subprocess.Popen(["sleep", "60"])
        def run(data): return [os.getpid(), child.pid]
        """,
        replicas=2,
    )
    kept.wait_until_ready()
    first = kept.call(0) + kept.call(1)

    kept.process.kill()
    wait_until_gone(*first)
    kept.process.wait()
    (kept.folder / "status.json").unlink()
    kept.start()
    kept.wait_until_ready()

    assert not set(kept.call(0) + kept.call(1)) & set(first)


@pytest.mark.crash
def test_deployment_whose_init_fails_is_given_up_with_its_traceback(keep, tmp_path):
    (tmp_path / "broken").touch()
    kept = keep(CHANGEABLE, replicas=2)

    assert kept.process.wait(30) == 1
    status = kept.status()
    assert status["state"] == "failed"
    assert status["error"]["code"] == "ResourceNotReady"
    assert "RuntimeError: broken on purpose" in status["error"]["message"]
    assert "tried 3 times" in status["error"]["message"]
    assert status["replicas"][0]["exit"] in ("exit code 3", "signal 9")
    assert kept.pids() == []
    assert not any(Path(path).exists() for path in [*kept.sockets, kept.waiting])


@pytest.mark.crash
def test_init_that_takes_too_long_is_killed_and_its_stack_told(keep):
    kept = keep(
        "import time\ndef init():\n    time.sleep(60)\ndef run(data): pass",
        init_timeout_s=0.5,
        max_init_failures=1,
    )

    assert kept.process.wait(30) == 1
    message = kept.status()["error"]["message"]
    assert "init() did not return within 0.5 s" in message
    assert 'score.py", line 3 in init' in message


@pytest.mark.crash
def test_deployment_that_was_ready_is_never_given_up(keep, tmp_path):
    kept = keep(CHANGEABLE)
    pid = kept.wait_until_ready()["replicas"][0]["pid"]
    (tmp_path / "broken").touch()
    os.kill(pid, signal.SIGKILL)

    status = kept.wait(lambda status: status["replicas"][0]["restarts"] >= 4)
    assert status["state"] == "starting"
    assert "broken on purpose" in status["replicas"][0]["error"]
    assert status["replicas"][0]["exit"] == "exit code 3"

    (tmp_path / "broken").unlink()
    assert kept.call_waiting() == kept.wait_until_ready()["replicas"][0]["pid"]


@pytest.mark.crash
def test_run_that_never_comes_back_to_python_costs_its_process(keep):
    kept = keep(
        """
        import hashlib, os
        def init(): pass
        def run(data):
            if data == "hang":
                hashlib.pbkdf2_hmac("sha256", b"p", b"s", 2_000_000_000)
            return os.getpid()
        """,
        request_timeout_ms=200,
    )
    pid = kept.wait_until_ready()["replicas"][0]["pid"]

    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        kept.call(body="hang")
    kept.wait(lambda status: status["replicas"][0]["restarts"] == 1)
    replica = kept.wait_until_ready()["replicas"][0]

    assert replica["pid"] != pid
    assert replica["exit"] == "signal 9"
    assert "run() did not end at its time limit of 200 ms" in replica["error"]
    assert 'score.py", line 6 in run' in replica["error"]


def test_sigterm_answers_what_runs_and_leaves_nothing(keep):
    kept = keep(
        "import os, time\ndef init(): pass\n"
        "def run(data):\n    print('running')\n    time.sleep(0.5)\n    return os.getpid()",
        replicas=2,
    )
    pids = [one["pid"] for one in kept.wait_until_ready()["replicas"]]
    answers = []
    client = threading.Thread(target=lambda: answers.append(kept.call()))
    client.start()
    while "running" not in kept.log():
        time.sleep(0.005)

    kept.process.send_signal(signal.SIGTERM)
    kept.wait(lambda status: status["state"] == "stopping")
    client.join()

    assert answers == [pids[0]]
    assert kept.process.wait(10) == 0
    assert kept.pids() == []
    assert [one["exit"] for one in kept.status()["replicas"]] == ["exit code 0"] * 2
    assert not any(Path(path).exists() for path in [*kept.sockets, kept.waiting])


@pytest.mark.crash
def test_replica_that_does_not_finish_in_time_is_killed_when_it_is_stopped(keep):
    kept = keep(
        "import time\ndef init(): pass\ndef run(data):\n    print('running')\n    time.sleep(60)",
        drain_s=0.3,
        request_timeout_ms=90000,
    )
    kept.wait_until_ready()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(kept.sockets[0])
        client.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        while "running" not in kept.log():
            time.sleep(0.005)

        kept.process.send_signal(signal.SIGTERM)

        assert kept.process.wait(10) == 0
    assert kept.status()["replicas"][0]["exit"] == "signal 9"


def test_interpreter_that_does_not_exist_fails_the_deployment(keep):
    kept = keep(PID, python="/no/such/python")

    assert kept.process.wait(20) == 1
    assert "/no/such/python could not be started" in kept.status()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sockets": []}, "no sockets"),
        ({"sockets": ["/tmp/" + "x" * 100]}, "longer than 100 bytes"),
        ({"waiting_socket": "/tmp/" + "x" * 100}, "longer than 100 bytes"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"python": None, "env": 5}, "does not describe replicas"),
    ],
)
def test_spec_that_cannot_be_used_is_refused(keep, fields, reason):
    kept = keep(PID, **fields)

    assert kept.process.wait(10) == 2
    status = kept.status()
    assert (status["state"], status["error"]["code"]) == ("failed", "InvalidDeploymentSpec")
    assert reason in status["error"]["message"]
