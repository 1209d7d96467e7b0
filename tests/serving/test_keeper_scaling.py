"""A running keeper is told another number of replicas, or sleeps until a request waits."""

import concurrent.futures
import json
import signal
from pathlib import Path

import pytest

from lazulite.serving.keeper_orders import Orders, give
from tests.serving.kept import PID

SLOW = """
import os, time
def init(): pass
def run(data):
    print('running')
    time.sleep(float(data))
    return os.getpid()
"""


def order(kept, count, *, asleep=False):
    """Order so many replicas, as the control plane would."""
    sockets = tuple(str(kept.folder / f"{index}.sock") for index in range(count))
    give(kept.folder, Orders(sockets, asleep))
    return sockets


def states(status):
    return [one["state"] for one in status["replicas"]]


def test_more_and_fewer_replicas_leave_those_that_stay_as_they_are(keep):
    kept = keep(PID)
    first = kept.wait_until_ready()["replicas"][0]["pid"]

    kept.sockets = order(kept, 3)
    grown = kept.wait(lambda status: states(status) == ["ready"] * 3)
    assert [kept.call(index) for index in range(3)] == [one["pid"] for one in grown["replicas"]]
    order(kept, 1)
    shrunk = kept.wait(lambda status: states(status) == ["ready"])

    assert [one["pid"] for one in shrunk["replicas"]] == [grown["replicas"][0]["pid"]] == [first]
    assert not any(Path(path).exists() for path in kept.sockets[1:])


def test_a_replica_that_leaves_answers_what_it_has(keep):
    kept = keep(SLOW, replicas=2, request_timeout_ms=60000)
    second = kept.wait_until_ready()["replicas"][1]["pid"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(kept.call, 1, "1")
        kept.wait(lambda _: "running" in kept.log(1))
        order(kept, 1)
        kept.wait(lambda status: "stopping" in states(status) or len(states(status)) == 1)
        assert answer.result() == second
    kept.wait(lambda status: states(status) == ["ready"])


def test_a_replica_that_is_wanted_again_while_it_leaves_comes_back(keep):
    kept = keep(SLOW, replicas=2, request_timeout_ms=60000)
    second = kept.wait_until_ready()["replicas"][1]["pid"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(kept.call, 1, "0.5")
        kept.wait(lambda _: "running" in kept.log(1))
        order(kept, 1)
        kept.wait(lambda status: "stopping" in states(status))
        order(kept, 2)
        assert answer.result() == second
    status = kept.wait(lambda status: states(status) == ["ready"] * 2)
    assert kept.call(1) == status["replicas"][1]["pid"] != second


def test_a_sleeping_set_starts_when_requests_wait_and_loses_none(keep):
    kept = keep(PID, asleep=True)
    assert kept.wait(lambda status: status["state"] == "ready")["replicas"] == []

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        pids = set(pool.map(lambda _: kept.call_waiting(), range(20)))

    status = kept.wait_until_ready()
    assert pids == {status["replicas"][0]["pid"]}
    assert status["asleep"] is False


def test_a_set_falls_asleep_when_told_and_wakes_again(keep):
    kept = keep(PID)
    first = kept.wait_until_ready()["replicas"][0]["pid"]

    order(kept, 1, asleep=True)
    kept.wait(lambda status: status["asleep"] and not status["replicas"])
    assert kept.call_waiting() != first
    order(kept, 1)
    order(kept, 1, asleep=True)
    kept.wait(lambda status: status["asleep"] and not status["replicas"])


def test_an_order_to_sleep_counts_though_the_one_to_wake_was_not_seen(keep):
    """A request has woken the set, and both orders come before the keeper reads one."""
    kept = keep(PID)
    first = kept.wait_until_ready()["replicas"][0]["pid"]
    order(kept, 1, asleep=True)
    kept.wait(lambda status: status["asleep"] and not status["replicas"])
    assert kept.call_waiting() != first
    kept.process.send_signal(signal.SIGSTOP)
    try:
        order(kept, 1)
        order(kept, 1, asleep=True)
    finally:
        kept.process.send_signal(signal.SIGCONT)
    kept.wait(lambda status: status["asleep"] and not status["replicas"])


@pytest.mark.crash
def test_orders_that_came_before_the_keeper_are_obeyed(keep):
    kept = keep(PID)
    kept.wait_until_ready()
    kept.process.send_signal(signal.SIGKILL)
    kept.process.wait()
    order(kept, 2)
    kept.start()
    kept.wait(lambda status: len(states(status)) == 2)
    kept.wait_until_ready()


@pytest.mark.crash
def test_replicas_that_are_added_and_do_not_start_are_said_to_loop(keep, tmp_path):
    kept = keep(
        "import os\ndef init():\n    if os.path.exists('broken'): raise RuntimeError('no room')\n"
        "def run(data): return os.getpid()"
    )
    first = kept.wait_until_ready()["replicas"][0]["pid"]
    (tmp_path / "broken").touch()

    order(kept, 2)
    status = kept.wait(lambda status: states(status) == ["ready", "crash-loop"])

    assert "no room" in status["replicas"][1]["error"]
    assert status["state"] == "ready"
    assert kept.call(0) == first
    order(kept, 1)
    kept.wait(lambda status: states(status) == ["ready"])


def test_the_same_orders_again_are_not_written_again(tmp_path):
    give(tmp_path, Orders(("/s",)))
    written = (tmp_path / "orders.json").stat()
    give(tmp_path, Orders(("/s",)))
    assert (tmp_path / "orders.json").stat().st_ino == written.st_ino
    assert json.loads((tmp_path / "orders.json").read_text()) == {
        "sockets": ["/s"],
        "asleep": False,
        "number": 0,
    }
