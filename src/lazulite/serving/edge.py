"""The edge keeper: owns the public listening sockets and keeps one HAProxy running on them.

Detached from the control plane, so that scoring goes on without it. A connection that arrives while
HAProxy is replaced or restarted waits in the kernel's backlog. It starts in its task folder:

    python -m lazulite.serving.edge spec.json

spec.json: {"contract": number, "haproxy": path, "run_folder": path, "configurations": path,
"drain_s": seconds, "access_log": folder or "",
"listen": {"LZ_HTTPS": [host, port], "LZ_HTTP": [host, port]}}. Each folder in
`configurations` is one (haproxy.cfg and its maps); the one that `current.json` names is served at
the start.
Requests on <run_folder>/edge.sock are one JSON line each, and so are the answers:
{"command": "status"} or {"command": "load", "configuration": name} -> a status; its "error" is what
HAProxy says of a configuration that was refused, and then the one before goes on. HAProxy writes to
haproxy.log in the task folder: failed requests and servers going down. A line for each request goes
to files in the folder access_log.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.executors.signals import woken_by
from lazulite.serving.access_log import VARIABLE
from lazulite.serving.access_recorder import AccessRecorder
from lazulite.serving.haproxy_process import HAProxy
from lazulite.store.files import read_json, write_json

TASK_NAME = "front-door"
"""Of the task that this process is."""

_BACKLOG = 4096  # the kernel cuts it to net.core.somaxconn
_BIND_PATIENCE_S = 1.0
_REQUEST_PATIENCE_S = 2.0
_HEALTHY_AFTER_S = 5.0
_LONGEST_PAUSE_S = 2.0
_TEND_EVERY_S = 60.0


def main(arguments: list[str]) -> int:
    """Run until SIGTERM. Exit codes: 0 drained, 1 could not start, 3 another edge is running."""
    spec_path = Path(arguments[0])
    spec = read_json(spec_path)
    run_folder = Path(spec["run_folder"])
    run_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(run_folder / "edge.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.stderr.write(f"another edge already serves {run_folder}\n")
        return 3
    try:
        listeners = _listeners(spec["listen"], run_folder / "ports.json")
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    folder = spec_path.parent.absolute()
    configurations, log = Path(spec["configurations"]), folder / "haproxy.log"
    recorder = AccessRecorder(Path(spec["access_log"]) if spec["access_log"] else None)
    outputs = {VARIABLE: recorder.writer}
    haproxy = HAProxy(spec["haproxy"], configurations, run_folder, log, listeners, outputs)
    return Edge(spec, folder, haproxy, recorder).run()


class Edge:
    """Answers commands, restarts HAProxy when it dies, ends at SIGTERM."""

    def __init__(
        self, spec: Mapping[str, Any], folder: Path, haproxy: HAProxy, recorder: AccessRecorder
    ) -> None:
        """folder: of the task, where status.json goes."""
        self._spec, self._folder, self._haproxy = spec, folder, haproxy
        self._recorder = recorder
        self._current = Path(spec["configurations"]) / "current.json"
        self._socket_path = Path(spec["run_folder"]) / "edge.sock"
        self._selector = selectors.DefaultSelector()
        self._error: str | None = None
        self._stopping = False
        self._started_at = self._retry_at = 0.0
        self._pause_s = 0.0

    def run(self) -> int:
        """Serve until SIGTERM; returns the exit code."""
        wakeups = woken_by((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT), self._on_signal)
        commands = _listen_privately(self._socket_path)
        self._selector.register(wakeups, selectors.EVENT_READ)
        self._selector.register(commands, selectors.EVENT_READ)
        self._selector.register(self._recorder, selectors.EVENT_READ)
        self._load_last()
        self._report()
        while not self._stopping:
            for key, _ in self._selector.select(self._idle_s()):
                if key.fileobj is commands:
                    self._answer(commands)
                elif key.fileobj is self._recorder:
                    self._selector.unregister(self._recorder)
                    self._recorder.heard()
                else:
                    wakeups.recv(4096)
            self._tend()
        self._socket_path.unlink(missing_ok=True)
        self._haproxy.stop(float(self._spec["drain_s"]))
        self._recorder.close()
        self._report()
        return 0

    def _on_signal(self, number: int) -> None:
        self._stopping = self._stopping or number != signal.SIGCHLD

    def _load_last(self) -> None:
        last = read_json(self._current)
        if last is not None:
            self._error = self._haproxy.load(last["configuration"])
            self._started_at = time.monotonic()

    def _idle_s(self) -> float:
        idle_s = max(0.0, self._retry_at - time.monotonic()) if self._retry_at else _TEND_EVERY_S
        recorder_s = self._recorder.patience_s
        return idle_s if recorder_s is None else min(idle_s, recorder_s)

    def _tend(self) -> None:
        """Notice deaths; start again at once, or after a pause if it keeps dying."""
        self._haproxy.trim_log()
        self._haproxy.end_oldest()
        if self._recorder.tend():
            self._selector.register(self._recorder, selectors.EVENT_READ)
        draining = len(self._haproxy.draining)
        if self._haproxy.reap() and not self._retry_at:
            now = time.monotonic()
            lived_s = now - self._started_at
            longer = min(_LONGEST_PAUSE_S, max(0.1, 2 * self._pause_s))
            self._pause_s = 0.0 if lived_s > _HEALTHY_AFTER_S else longer
            self._retry_at = now + (0.0 if self._pause_s <= 0.1 else self._pause_s)
        if self._retry_at and time.monotonic() >= self._retry_at:
            self._restart()
        elif draining != len(self._haproxy.draining):
            self._report()

    def _restart(self) -> None:
        self._retry_at = 0.0
        self._error = self._haproxy.restart()
        self._started_at = time.monotonic()
        if self._error is not None:
            self._pause_s = min(_LONGEST_PAUSE_S, max(0.1, 2 * self._pause_s))
            self._retry_at = self._started_at + self._pause_s
        self._report()

    def _answer(self, commands: socket.socket) -> None:
        connection, _ = commands.accept()
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(_REQUEST_PATIENCE_S)
            with connection.makefile("rwb") as stream:
                request = json.loads(stream.readline(65536))
                error = self._load(request) if request["command"] == "load" else None
                stream.write(json.dumps({**self._status(), "error": error}).encode() + b"\n")

    def _load(self, request: Mapping[str, Any]) -> str | None:
        name = str(request["configuration"])
        if not name.isalnum():
            return f"{name!r} is not the name of a configuration"
        error = self._haproxy.load(name)
        if error is None:
            self._error, self._retry_at, self._started_at = None, 0.0, time.monotonic()
            write_json(self._current, {"configuration": name})
            self._report()
        return error

    def _report(self) -> None:
        write_json(self._folder / "status.json", self._status())

    def _status(self) -> dict[str, Any]:
        serving = self._haproxy.serving
        return {
            "pid": os.getpid(),
            "spec": self._spec,
            "state": "stopping" if self._stopping else "running",
            "configuration": self._haproxy.configuration,
            "haproxy": serving.pid if serving is not None else None,
            "draining": [process.pid for process in self._haproxy.draining],
            "addresses": {
                name: listener.getsockname()[:2]
                for name, listener in self._haproxy.listeners.items()
                if listener.fileno() >= 0
            },
            "error": self._error,
        }


def _listeners(listen: dict[str, list[Any]], remembered: Path) -> dict[str, socket.socket]:
    """Listen on each address. Port 0: the one of an earlier edge, which clients know, if free."""
    earlier = read_json(remembered) or {}
    listeners = {}
    for name, (host, port) in listen.items():
        try:
            listeners[name] = _bind(host, port or earlier.get(name, 0))
        except OSError:
            if port:
                raise
            listeners[name] = _bind(host, 0)
    write_json(remembered, {name: each.getsockname()[1] for name, each in listeners.items()})
    return listeners


def _bind(host: str, port: int) -> socket.socket:
    """Listen on the address; waits a little for the HAProxy of a killed edge to let go of it."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + _BIND_PATIENCE_S
    while True:
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            if time.monotonic() > deadline:
                message = f"cannot listen on {host} port {port}: {error.strerror}; choose another"
                raise OSError(error.errno, message) from error
            time.sleep(0.02)
        else:
            return listener


def _listen_privately(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # a killed edge left it; the lock says that nobody serves it
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(64)
    return listener


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
