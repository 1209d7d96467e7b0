"""A keeper whose replicas run in sandboxes: it must make no difference to clients and to it."""

import os
import signal
import textwrap
from pathlib import Path

import pytest

from tests.executors.sandboxes import needs_bubblewrap, sandbox
from tests.serving.test_keeper import wait_until_gone

pytestmark = [needs_bubblewrap, pytest.mark.crash]

PROBE = """
import json, os, signal, socket, time
def init(): pass
def run(data):
    asked = json.loads(data)
    if asked == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if asked == "hang":
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        time.sleep(600)
    if asked == "spawn":
        if os.fork() == 0:
            os.setsid()
            os.execlp("sleep", "sleep", "600.25")
        return "spawned"
    if asked == "connect":
        try:
            socket.create_connection(("127.0.0.1", 9), 5)
        except OSError as error:
            return type(error).__name__
    return [os.path.exists(path) for path in asked]
"""


@pytest.fixture
def kept(keep, tmp_path):
    box = sandbox(network=False).showing(str(tmp_path))
    kept = keep(PROBE, sandbox=box.to_json(), request_timeout_ms=500)
    kept.wait_until_ready()
    return kept


def family(kept):
    """The pids of a replica's processes, bwrap first."""
    found, new = [], kept.pids()
    while new:
        found += new
        new = [int(child) for pid in new for child in children(pid)]
    return found


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_replica_answers_over_its_socket_without_network_and_sees_its_own_files(kept, tmp_path):
    seen = f'["{tmp_path}/score.py", "{kept.folder}/spec.json", "/proc/{os.getpid()}"]'
    assert kept.call(body=seen) == [True, False, False]
    assert kept.call_waiting(body='"connect"') in {"OSError", "ConnectionRefusedError"}


def test_a_replica_that_is_killed_is_told_by_its_signal_and_replaced(kept):
    with pytest.raises((ConnectionError, ValueError)):
        kept.call(body='"die"')
    status = kept.wait(lambda status: status["replicas"][0]["restarts"] == 1)
    assert status["replicas"][0]["exit"] == "signal 9"
    kept.wait_until_ready()
    assert kept.call(body="[]") == []


def test_a_run_that_hangs_leaves_its_stack_in_the_log(kept):
    with pytest.raises((ConnectionError, ValueError)):
        kept.call(body='"hang"')
    kept.wait(lambda status: status["replicas"][0]["restarts"] == 1)
    assert 'score.py", line 10 in run' in kept.log()


def test_sigterm_ends_it_gently_with_all_that_it_started(kept):
    assert kept.call(body='"spawn"') == "spawned"
    pids = family(kept)
    assert len(pids) == 4  # bwrap, the first process of its namespace, the replica, and sleep
    kept.process.send_signal(signal.SIGTERM)
    assert kept.process.wait(20) == 0
    wait_until_gone(*pids)
    assert kept.status()["replicas"][0]["exit"] == "exit code 0"


def test_kill_9_of_the_keeper_ends_it_with_all_that_it_started(kept):
    kept.call(body='"spawn"')
    pids = family(kept)
    kept.process.kill()
    kept.process.wait()
    wait_until_gone(*pids)


def test_a_script_that_fails_is_told_as_without_a_sandbox(keep, tmp_path):
    script = textwrap.dedent("""
        def init(): raise RuntimeError("on purpose")
        def run(data): pass
    """)
    kept = keep(script, sandbox=sandbox().showing(str(tmp_path)).to_json())
    status = kept.wait(lambda status: status["state"] == "failed")
    assert "RuntimeError: on purpose" in status["error"]["message"]
    assert status["replicas"][0]["exit"] == "exit code 3"
