"""Probes of replicas: who hangs is replaced, who is busy is left in peace."""

import os
import signal
import threading

import pytest

from lazulite.serving.own_server import Probe
from lazulite.serving.replica_probe import ReplicaProbe
from tests.serving.kept import PID

EAGER = {"delay_s": 0.0, "period_s": 0.05, "timeout_s": 0.3, "failures": 2, "successes": 1}

# Once "park" was asked, the process holds the GIL outside run() and answers nobody.
PARKS = """
import os, threading, hashlib
def init(): pass
def hog():
    import time
    time.sleep(0.1)
    sum(range(10 ** 12))
def run(data):
    if data == "park":
        threading.Thread(target=hog, daemon=True).start()
    return os.getpid()
"""


@pytest.mark.crash
def test_a_process_that_is_stopped_is_replaced(keep):
    kept = keep(PID, liveness=EAGER)
    pid = kept.wait_until_ready()["replicas"][0]["pid"]

    os.kill(pid, signal.SIGSTOP)
    replica = kept.wait(
        lambda status: (
            status["replicas"][0]["restarts"] == 1 and status["replicas"][0]["state"] == "ready"
        )
    )["replicas"][0]

    assert replica["exit"] == "signal 9"
    assert "liveness probe failed 2 times in a row: no answer within 0.3 s" in replica["error"]
    assert kept.call() == replica["pid"] != pid


@pytest.mark.crash
def test_a_process_that_hangs_outside_run_is_replaced(keep):
    kept = keep(PARKS, liveness=EAGER)
    pid = kept.wait_until_ready()["replicas"][0]["pid"]

    assert kept.call(body="park") == pid

    kept.wait(lambda status: status["replicas"][0]["restarts"] == 1)
    assert kept.call_waiting() != pid


def test_a_process_that_is_busy_for_long_is_not_killed(keep):
    kept = keep(
        "import os, time\ndef init(): pass\n"
        "def run(data):\n    time.sleep(3)\n    return os.getpid()",
        liveness={**EAGER, "failures": 1},
        readiness={**EAGER, "failures": 1},
        request_timeout_ms=60000,
    )
    pid = kept.wait_until_ready()["replicas"][0]["pid"]

    assert kept.call() == pid
    replica = kept.status()["replicas"][0]
    assert (replica["state"], replica["restarts"]) == ("ready", 0)


def test_a_process_that_sends_to_a_slow_client_is_not_killed(keep):
    kept = keep(
        """
        import os
        from azureml_inference_server_http.api.aml_response import AMLResponse
        def init(): pass
        def parts():
            for _ in range(64):
                yield b"x" * 1_000_000
        def run(data):
            return AMLResponse(parts(), 200)
        """,
        liveness={**EAGER, "failures": 1},
        request_timeout_ms=60000,
    )
    pid = kept.wait_until_ready()["replicas"][0]["pid"]
    connection = kept.open()
    connection.request("POST", "/score", "1")
    answer = connection.getresponse()

    threading.Event().wait(1.5)  # far longer than the probe's patience; nothing is read
    body = answer.read()
    connection.close()

    assert len(body) == 64_000_000
    assert (kept.status()["replicas"][0]["pid"], kept.status()["replicas"][0]["restarts"]) == (
        pid,
        0,
    )


@pytest.mark.crash
def test_a_replica_that_is_not_ready_gets_no_requests_until_it_is(keep):
    kept = keep(PID, replicas=2, readiness=EAGER)
    stopped, other = (one["pid"] for one in kept.wait_until_ready()["replicas"])

    os.kill(stopped, signal.SIGSTOP)
    status = kept.wait(lambda status: status["replicas"][0]["state"] == "unready")
    assert "readiness probe failed" in status["replicas"][0]["error"]
    with pytest.raises(FileNotFoundError):
        kept.call(0)
    assert kept.call(1) == other

    os.kill(stopped, signal.SIGCONT)
    kept.wait_until_ready()
    assert kept.call(0) == stopped
    assert kept.status()["replicas"][0]["restarts"] == 0


class Cell:
    is_busy = False


def test_a_process_that_becomes_busy_before_it_answers_is_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process = Cell()
    probe = ReplicaProbe(Probe(**{**EAGER, "failures": 1}), 0.0, 0.0)
    probe.look(1.0, process, "nobody")
    assert (probe.ill, probe.has_failed) == (1, True)
    process.is_busy = True
    probe.look(2.0, process, "nobody")
    assert (probe.ill, probe.well, probe.due) == (0, 1, 2.05)
    probe.close()


def test_the_first_question_waits_for_the_initial_delay_and_a_period():
    late = ReplicaProbe(Probe(delay_s=60, period_s=5), started=10.0, ready=12.0)
    assert late.due == 70.0
    soon = ReplicaProbe(Probe(delay_s=0, period_s=5), started=10.0, ready=12.0)
    assert soon.due == 17.0
