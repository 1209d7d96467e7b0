"""A compute node as a real process: what it starts, reports and never leaves behind."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path

import pytest

from lazulite.executors.node_wire import LinkClosedError, connect

pytestmark = pytest.mark.crash
SOURCES = Path(__file__).parents[2] / "src"


@pytest.fixture
def run_folder():
    # Unix socket paths are short, pytest's folders are not.
    folder = Path(tempfile.mkdtemp(prefix="lz", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def node(run_folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "lazulite.executors.node", str(run_folder / "n.sock"), "n0"],
        env={**os.environ, "PYTHONPATH": str(SOURCES), "SECRET": "of the server"},
    )
    yield process
    process.kill()
    process.wait()


def until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)
    return found


def lease(run_folder):
    """A connection to the node, once it is there."""

    def attempt():
        try:
            return connect(str(run_folder / "n.sock"))
        except LinkClosedError:
            return None

    return until(attempt)


heard = weakref.WeakKeyDictionary()  # messages that came together with an earlier one


def hear(link, seconds=30.0):
    """The next message."""
    messages = heard.setdefault(link, [])

    def attempt():
        if not messages:
            select.select([link], [], [], 0.2)
            messages.extend(message for message, _ in link.receive())
        return messages

    return until(attempt, seconds).pop(0)


def start(link, folder, *argv, descriptors=()):
    request = {
        "id": 7,
        "argv": list(argv),
        "env": {"GIVEN": "yes"},
        "cwd": "/",
        "stdout": str(folder / "out.txt"),
        "stderr": str(folder / "err.txt"),
    }
    link.send({"start": request}, descriptors)


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def child_of(text):
    """The pid that a process wrote to its stdout."""
    return int(
        until(lambda: text.exists() and text.read_text().endswith("\n") and text.read_text())
    )


FAMILY = "sleep 600 & echo $!; wait"


def test_a_process_gets_its_descriptors_and_environment_but_not_the_nodes(node, run_folder):
    link = lease(run_folder)
    assert hear(link)["hello"] == {"node": "n0", "pid": node.pid}
    ours, theirs = socket.socketpair()
    program = (
        "import os; n = int(os.environ['LAZULITE_FDS']);"
        "os.write(n, ' '.join([os.environ['GIVEN'], str(os.environ.get('SECRET'))]).encode())"
    )
    start(link, run_folder, sys.executable, "-c", program, descriptors=[theirs.fileno()])
    theirs.close()
    assert "started" in hear(link)
    ours.settimeout(10)
    assert ours.recv(100) == b"yes None"
    assert hear(link)["exited"] == {"id": 7, "status": 0}
    ours.close()
    link.close()


def test_a_log_that_a_process_made_a_link_is_not_written(node, run_folder):
    link = lease(run_folder)
    hear(link)
    victim = run_folder / "victim"
    (run_folder / "out.txt").symlink_to(victim)
    start(link, run_folder, "/bin/echo", "attack")
    assert "out.txt" in hear(link)["failed"]["error"]
    assert not victim.exists()
    link.close()


def test_a_program_that_cannot_be_started_is_reported(node, run_folder):
    link = lease(run_folder)
    hear(link)
    start(link, run_folder, "/no/such/python")
    assert "No such file" in hear(link)["failed"]["error"]
    link.close()


def test_what_an_ended_process_left_in_its_group_is_killed(node, run_folder):
    link = lease(run_folder)
    hear(link)
    start(link, run_folder, "/bin/sh", "-c", "sleep 600 & echo $!; exit 3")
    hear(link)
    assert hear(link)["exited"] == {"id": 7, "status": 3}
    until(lambda: not is_alive(child_of(run_folder / "out.txt")))
    link.close()


def test_signal_and_kill_reach_the_process(node, run_folder):
    link = lease(run_folder)
    hear(link)
    start(
        link,
        run_folder,
        "/bin/sh",
        "-c",
        "trap 'echo asked' USR1; echo up; while :; do sleep 0.05; done",
    )
    hear(link)
    until(lambda: "up" in (run_folder / "out.txt").read_text())
    link.send({"signal": {"id": 7, "signal": int(signal.SIGUSR1)}})
    until(lambda: "asked" in (run_folder / "out.txt").read_text())
    link.send({"kill": {"id": 7}})
    assert hear(link)["exited"] == {"id": 7, "status": -9}
    link.close()


def test_the_end_of_the_connection_ends_all_even_daemons_and_frees_the_node(node, run_folder):
    link = lease(run_folder)
    hear(link)
    program = (
        "import os, subprocess, time\n"
        "print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)\n"
        "time.sleep(600)"
    )
    start(link, run_folder, sys.executable, "-c", program)
    worker = hear(link)["started"]["pid"]
    daemon = child_of(run_folder / "out.txt")
    link.close()
    until(lambda: not is_alive(worker) and not is_alive(daemon))
    again = lease(run_folder)
    assert "hello" in hear(again)
    again.close()


def test_a_second_job_waits_until_the_first_is_over(node, run_folder):
    first = lease(run_folder)
    hear(first)
    second = lease(run_folder)
    select.select([second], [], [], 0.3)
    assert second.receive() == []
    first.close()
    assert "hello" in hear(second)
    second.close()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_the_death_of_the_node_ends_its_workers_and_their_children(node, run_folder, signum):
    link = lease(run_folder)
    hear(link)
    start(link, run_folder, "/bin/sh", "-c", FAMILY)
    worker = hear(link)["started"]["pid"]
    child = child_of(run_folder / "out.txt")
    node.send_signal(signum)
    node.wait()
    until(lambda: not is_alive(worker) and not is_alive(child))
    with pytest.raises(LinkClosedError):
        until(lambda: link.receive() is None)
    link.close()
