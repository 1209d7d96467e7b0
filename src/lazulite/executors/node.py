"""A compute node: a process that starts worker processes for one job at a time.

`python -m lazulite.executors.node <socket> <node-id>`. It only starts, signals and buries them;
the job's supervisor talks to them directly through descriptors that it passes along. A connection
is a lease: when it ends, its processes are killed with all they started. A node keeps no state.

Messages to it: start {id, argv, env, cwd, stdout, stderr, sandbox} with descriptors,
signal {id, signal}, kill {id}. From it: hello {node}, started {id, pid}, failed {id, error},
exited {id, status}.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.executors.guard import (
    Guard,
    adopt_orphans,
    die_with_parent,
    kill_children,
    kill_group,
)
from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.links import opener_without_links
from lazulite.executors.node_wire import Link, LinkClosedError
from lazulite.executors.signals import woken_by
from lazulite.executors.wrappers import ending, inside, process_of

BASE_ENVIRONMENT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""What workers get of the node's environment; the rest might hold secrets of the server."""
DESCRIPTORS = "LAZULITE_FDS"
"""Tells a worker the numbers of the descriptors passed to it, joined by commas."""


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Serve jobs at the socket until SIGTERM."""
    socket_path, node_id = Path(arguments[0]), arguments[1]
    base = {name: environ[name] for name in BASE_ENVIRONMENT if name in environ}
    guard = Guard()
    adopt_orphans()
    Node(node_id, base, guard).serve(_listen(socket_path))
    return 0


@dataclasses.dataclass(frozen=True)
class _Started:
    """A process, the number that the job gave it, and what it runs in."""

    key: int
    process: subprocess.Popen[bytes]
    sandbox: Sandbox


class Node:
    """The node's loop: one listener, at most one connection, its processes."""

    def __init__(self, node_id: str, base: Mapping[str, str], guard: Guard) -> None:
        """base: environment that every worker starts from."""
        self._id, self._base, self._guard = node_id, base, guard
        self._arm = die_with_parent(os.getpid())
        self._selector = selectors.DefaultSelector()
        self._link: Link | None = None
        self._running: dict[int, _Started] = {}
        self._ending = False

    def serve(self, listener: socket.socket) -> None:
        """Run until SIGTERM; further jobs wait in the listener's backlog."""
        wake = woken_by((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT), self._on_signal)
        self._selector.register(wake, selectors.EVENT_READ)
        self._selector.register(listener, selectors.EVENT_READ)
        while not self._ending:
            for key, _ in self._selector.select():
                if key.fileobj is listener:
                    self._accept(listener)
                elif key.fileobj is wake:
                    wake.recv(4096)
                else:
                    self._obey()
            self._bury()
            if self._link is None and not self._watches(listener):
                self._selector.register(listener, selectors.EVENT_READ)
        self._drop()

    def _on_signal(self, number: int) -> None:
        self._ending = self._ending or number != signal.SIGCHLD

    def _watches(self, listener: socket.socket) -> bool:
        return listener.fileno() in self._selector.get_map()

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        self._selector.unregister(listener)
        self._link = Link(connection)
        self._selector.register(self._link, selectors.EVENT_READ)
        self._tell({"hello": {"node": self._id, "pid": os.getpid()}})

    def _obey(self) -> None:
        """Do what the job asked."""
        try:
            messages = self._link.receive() if self._link else []
        except LinkClosedError:
            self._drop()
            return
        for message, descriptors in messages:
            for verb, request in message.items():
                self._request(verb, request, descriptors)

    def _request(self, verb: str, request: dict[str, Any], descriptors: list[int]) -> None:
        if verb == "start":
            self._start(request, descriptors)
        for pid, started in self._running.items():
            if started.key == request["id"] and verb == "kill":
                kill_group(pid)
            elif started.key == request["id"] and verb == "signal":
                with contextlib.suppress(ProcessLookupError):  # it ended, and is buried next
                    os.kill(process_of(started.sandbox, pid), request["signal"])

    def _start(self, request: dict[str, Any], descriptors: list[int]) -> None:
        try:
            sandbox = Sandbox.from_json(request.get("sandbox"))
            process = self._spawn(request, sandbox, descriptors)
        except (OSError, TypeError, ValueError) as error:
            self._tell({"failed": {"id": request["id"], "error": f"{request['argv'][0]}: {error}"}})
            return
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._guard.add(process.pid)
        self._running[process.pid] = _Started(request["id"], process, sandbox)
        self._tell({"started": {"id": request["id"], "pid": process.pid}})

    def _spawn(
        self, request: dict[str, Any], sandbox: Sandbox, descriptors: list[int]
    ) -> subprocess.Popen[bytes]:
        bare = Launch(
            argv=tuple(request["argv"]),
            env=self._environment(request, descriptors),
            cwd=request["cwd"],
            descriptors=tuple(descriptors),
        )
        with (
            # Processes may have written to the logs' folders: a link there leads out of sandboxes.
            open(request["stdout"], "ab", opener=opener_without_links) as out,
            open(request["stderr"], "ab", opener=opener_without_links) as err,
            inside(sandbox, bare) as launch,
        ):
            return subprocess.Popen(
                launch.argv,
                env=dict(launch.env),
                cwd=launch.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                pass_fds=launch.descriptors,
                start_new_session=True,
                preexec_fn=self._arm,
            )

    def _environment(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, str]:
        tools = os.path.dirname(request["argv"][0])  # noqa: PTH120 - "" must stay ""
        path = os.pathsep.join(part for part in (tools, self._base.get("PATH")) if part)
        passed = {DESCRIPTORS: ",".join(map(str, descriptors))}
        return {**self._base, "PATH": path, **request["env"], **passed}

    def _bury(self) -> None:
        """Report every ended worker, after killing what it left running in its group."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (ended := _wait_for_any(flags)) is not None:
            if ended not in self._running:
                os.waitpid(ended, 0)  # the guard, or an orphan that was handed to us
                continue
            # Not reaped yet, so the group's number cannot be anyone else's.
            kill_group(ended)
            started = self._running.pop(ended)
            status = ending(started.sandbox, started.process.wait())
            self._guard.discard(ended)
            self._tell({"exited": {"id": started.key, "status": status}})

    def _tell(self, message: dict[str, Any]) -> None:
        if self._link is None:
            return
        try:
            self._link.send(message)
        except LinkClosedError:
            self._drop()

    def _drop(self) -> None:
        """The job is over or its supervisor died: nothing of it stays."""
        if self._link is not None:
            self._selector.unregister(self._link)
            self._link.close()
            self._link = None
        for pid in self._running:
            kill_group(pid)
        for pid, started in self._running.items():
            started.process.wait()
            self._guard.discard(pid)
        self._running.clear()
        # What left its group (daemons, setsid) has been orphaned to us by now.
        kill_children(spare=self._guard.pid)


def _listen(path: Path) -> socket.socket:
    """A listener that only this user can reach; a stale socket of a dead node is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o077)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(8)
    return listener


def _wait_for_any(flags: int) -> int | None:
    try:
        found = os.waitid(os.P_ALL, 0, flags)
    except ChildProcessError:
        return None
    return found.si_pid if found else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
