"""`lazulite serve`: one scoring script as a server of its own, in the place of azmlinfsrv.

The workers are the same processes that serve deployments. They share the listening sockets, and
each takes the next request when it is free. Exit codes: 0 after SIGTERM or Ctrl-C, 1 for what
cannot be served, 3 if the script does not start. Source: spec/ONLINE.md 5.1.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import lazulite_worker
from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.signals import woken_by
from lazulite.serving.replica_process import ReplicaProcess
from lazulite.serving.standalone_banner import banner
from lazulite.serving.standalone_settings import (
    BadArgumentError,
    StandaloneSettings,
    read_standalone,
)

BAD_ARGUMENT, BOOT_ERROR = 1, 3
BACKLOG = 2048
DRAIN_S = 30.0
LOOK_S = 1.0
STDOUT = 1

logger = logging.getLogger("lazulite.serve")


class BootError(Exception):
    """A worker could not start; it has said why."""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        settings = read_standalone(arguments, environ)
    except BadArgumentError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return BAD_ARGUMENT
    print(banner(settings), flush=True)
    with contextlib.ExitStack() as held:
        try:
            listeners = [held.enter_context(_listening(port)) for port in settings.ports]
        except OSError as error:
            print(f"ERROR: {error.strerror}", file=sys.stderr)
            return BAD_ARGUMENT
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="lz-")))
        try:
            Standalone(settings, listeners, folder).run()
        except BootError as error:
            print(f"ERROR: {error}", file=sys.stderr)
            return BOOT_ERROR
    return 0


class Standalone:
    """The workers of one server."""

    def __init__(
        self, settings: StandaloneSettings, listeners: Sequence[socket.socket], folder: Path
    ) -> None:
        """listeners: for scoring, and for health if that is apart; folder: empty, ours alone."""
        self._settings, self._listeners = settings, listeners
        (folder / "lazulite_worker").symlink_to(Path(lazulite_worker.__file__).resolve().parent)
        path = os.pathsep.join(filter(None, (str(folder), settings.env.get("PYTHONPATH"))))
        self._launch = Launch(
            argv=(settings.python, "-m", "lazulite_worker.serve"),
            env={**settings.env, "PYTHONPATH": path},
            cwd=str(folder),
        )
        self._own = _private(folder / "own.sock")
        self._selector = selectors.DefaultSelector()
        self._workers = list[ReplicaProcess]()
        self._ready = set[int]()
        self._stopping = False

    def run(self) -> None:
        """Keep the workers until a signal. Raises BootError if one cannot start."""
        self._watch_signals()
        try:
            for _ in range(self._settings.worker_count):
                self._start()
            while not self._stopping:
                for key, _events in self._selector.select(LOOK_S):
                    key.data()
                self._look()
        finally:
            self._end()

    def _start(self) -> None:
        """One more worker. All listen where health is asked for, too, should that be apart."""
        own = (*self._listeners[1:], self._own)[0]
        listeners = own.fileno(), self._listeners[0].fileno()
        worker = ReplicaProcess(self._launch, Sandbox(), listeners, STDOUT)
        self._workers.append(worker)
        self._selector.register(worker.status, selectors.EVENT_READ, lambda: self._hear(worker))

    def _hear(self, worker: ReplicaProcess) -> None:
        message = worker.message()
        if message is None:
            return
        self._selector.unregister(worker.status)
        if "ready" in message:
            self._ready.add(worker.pid)

    def _look(self) -> None:
        """Replace workers that have ended, and those whose request takes too long."""
        for worker in list(self._workers):
            since = worker.busy_since
            if since and time.monotonic() - since > self._settings.run_limit_s:
                logger.error("Worker %d did not answer in time and is killed.", worker.pid)
                worker.kill()
            if (how := worker.reap()) is not None:
                self._buried(worker, how)

    def _buried(self, worker: ReplicaProcess, how: str) -> None:
        if worker.status in self._selector.get_map():
            self._hear(worker)
        worker.close()
        self._workers.remove(worker)
        if worker.pid not in self._ready:
            raise BootError(f"A worker could not start, and ended with {how}.")
        self._ready.discard(worker.pid)
        logger.warning("Worker %d ended with %s; another one starts.", worker.pid, how)
        self._start()

    def _end(self) -> None:
        """Let the workers finish what they are at, then end them."""
        for worker in self._workers:
            worker.signal(signal.SIGTERM)
        deadline = time.monotonic() + DRAIN_S
        for worker in self._workers:
            while worker.reap() is None:
                if time.monotonic() > deadline:
                    worker.kill()
                time.sleep(0.01)
            worker.close()
        self._own.close()

    def _watch_signals(self) -> None:
        wake = woken_by((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT), self._on_signal)
        self._selector.register(wake, selectors.EVENT_READ, lambda: wake.recv(4096))

    def _on_signal(self, number: int) -> None:
        self._stopping = self._stopping or number != signal.SIGCHLD


def _listening(port: int) -> socket.socket:
    """Raises OSError that names the port. Nobody else may listen there."""
    try:
        return socket.create_server(("", port), backlog=BACKLOG)
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
        raise OSError(error.errno, f"Port {port} {reason}.") from error


def _private(path: Path) -> socket.socket:
    """A socket that nobody connects to: each worker has one of its own beside the shared ones."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    return listener


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
