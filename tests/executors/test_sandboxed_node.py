"""A node whose processes run in sandboxes: started, signalled and buried as without them."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.executors.sandboxes import needs_bubblewrap, sandbox
from tests.executors.test_node import (  # noqa: F401 - fixtures
    hear,
    is_alive,
    lease,
    node,
    run_folder,
    until,
)

pytestmark = [needs_bubblewrap, pytest.mark.crash]


def start(link, folder, *argv, descriptors=()):
    request = {
        "id": 7,
        "argv": list(argv),
        "env": {},
        "cwd": "/",
        "stdout": str(folder / "out.txt"),
        "stderr": str(folder / "err.txt"),
        "sandbox": sandbox().to_json(),
    }
    link.send({"start": request}, descriptors)
    return hear(link)


def family(pid):
    """The pids of a process and all below it."""
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *(one for child in listing.split() for one in family(int(child)))]


@pytest.fixture
def link(node, run_folder):  # noqa: F811
    link = lease(run_folder)
    hear(link)
    yield link
    link.close()


def test_descriptors_reach_the_process_and_files_of_the_node_do_not(link, run_folder):  # noqa: F811
    ours, theirs = socket.socketpair()
    program = (
        "import os; n = int(os.environ['LAZULITE_FDS']);"
        f"os.write(n, str(os.path.exists({str(run_folder / 'n.sock')!r})).encode())"
    )
    start(link, run_folder, sys.executable, "-c", program, descriptors=[theirs.fileno()])
    theirs.close()
    ours.settimeout(20)
    assert ours.recv(100) == b"False"
    assert hear(link)["exited"] == {"id": 7, "status": 0}
    ours.close()


def test_signals_reach_the_process_and_kills_are_told_as_such(link, run_folder):  # noqa: F811
    loop = "trap 'echo asked' USR1; echo up; while :; do sleep 0.05; done"
    start(link, run_folder, "/bin/sh", "-c", loop)
    until(lambda: "up" in (run_folder / "out.txt").read_text())
    link.send({"signal": {"id": 7, "signal": int(signal.SIGUSR1)}})
    until(lambda: "asked" in (run_folder / "out.txt").read_text())
    link.send({"kill": {"id": 7}})
    assert hear(link)["exited"] == {"id": 7, "status": -9}


@pytest.mark.parametrize(
    ("script", "status"), [("exit 3", 3), ("kill -9 $$", -9), ("kill -SEGV $$", -11)]
)
def test_how_it_ended_is_told(link, run_folder, script, status):  # noqa: F811
    start(link, run_folder, "/bin/sh", "-c", f"sleep 0.3; {script}")
    assert hear(link)["exited"] == {"id": 7, "status": status}


@pytest.mark.parametrize("how", ["connection", "node"])
def test_daemons_end_with_the_job_and_with_the_node(link, node, run_folder, how):  # noqa: F811
    program = "setsid sleep 600 & echo up; sleep 600"
    pid = start(link, run_folder, "/bin/sh", "-c", program)["started"]["pid"]
    until(lambda: "up" in (run_folder / "out.txt").read_text())
    pids = family(pid)
    assert len(pids) >= 4
    if how == "node":
        os.kill(node.pid, signal.SIGKILL)
        node.wait()
    else:
        link.close()
    until(lambda: not any(map(is_alive, pids)))
