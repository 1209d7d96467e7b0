"""What a node is asked to do at a moment when it cannot be done any more."""

import contextlib
import os
import signal
import socket
import subprocess

from lazulite.executors.guard import Guard
from lazulite.executors.launch import Sandbox
from lazulite.executors.node import Node, _Started
from lazulite.executors.node_wire import Link


def test_a_signal_for_a_process_that_has_gone_does_not_end_the_node():
    ours, theirs = socket.socketpair()
    guard = Guard()
    node = Node("n0", {}, guard)
    node._link = Link(theirs)
    gone = subprocess.Popen(["true"])
    gone.wait()
    node._running[gone.pid] = _Started(7, gone, Sandbox())
    with contextlib.closing(node._link), contextlib.closing(Link(ours)) as link:
        link.send({"signal": {"id": 7, "signal": int(signal.SIGTERM)}})
        node._obey()
    os.kill(guard.pid, signal.SIGKILL)
    os.waitpid(guard.pid, 0)
    assert list(node._running) == [gone.pid]  # it is buried as any other
