"""Holds one container for one process: `python -m lazulite.executors.container_run`.

The descriptors it inherits are handed to the process inside over a mounted socket, so that a
container is to keepers and nodes like any other child. Whatever ends this process, the first
process of the container notices that its connection is over, and the container ends and is removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lazulite.executors import holders
from lazulite.executors.container import REQUEST, SOCKET, configuration, user_of
from lazulite.executors.container_engine import Engine, EngineError, Output
from lazulite.executors.guard import die_with_parent
from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.node_wire import Link, LinkClosedError
from lazulite.executors.signals import woken_by

CANNOT_START = 125
"""The exit code of `docker run` for a container that could not be started."""
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
POLL_S = 0.2
PATIENCE_S = 60.0
"""For the first process of a container that runs to connect."""
STANDARD = (0, 1, 2)


class ContainerError(Exception):
    """The container ended before the process could be started in it."""


def main(environ: Mapping[str, str]) -> int:
    """Start the container and stay until its process has ended; returns or repeats how it did."""
    request = json.loads(environ[REQUEST])
    die_with_parent(request["parent"])()
    wake = woken_by(FORWARDED)
    launch = Launch(**request["launch"])
    sandbox = Sandbox.from_json(request["sandbox"])
    try:
        status = _run(launch, sandbox, wake)
    except (EngineError, ContainerError, OSError) as error:
        print(f"the container could not be started: {error}", file=sys.stderr)  # noqa: T201
        return CANNOT_START
    if status < 0:
        _end_by(-status)
    return status


def _run(launch: Launch, sandbox: Sandbox, wake: socket.socket) -> int:
    engine = Engine(sandbox.details["engine"])
    for mount in sandbox.mounts:
        if mount.writable:
            Path(mount.path).mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        with _meeting() as (folder, listener):
            labels = holders.labels(sandbox.details["owner"])
            wanted = {**configuration(sandbox, folder, labels), "User": user_of(engine.info())}
            container = engine.create(wanted)
            held.callback(engine.remove, container)
            link = _met(engine, container, listener)
        return _watched(link, launch, wake)


def _met(engine: Engine, container: str, listener: socket.socket) -> Link:
    """Start the container and wait for its first process. Raises ContainerError."""
    output = engine.attach(container)
    try:
        engine.start(container)
        return Link(_accepted(engine, container, listener, output))
    finally:
        output.close()


def _accepted(
    engine: Engine, container: str, listener: socket.socket, output: Output
) -> socket.socket:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if select.select([listener], [], [], POLL_S)[0]:
            return listener.accept()[0]
        found = engine.inspect(container)
        if found is None or not found["State"]["Running"]:
            raise ContainerError(f"it ended at once and said: {output.read().strip()}")
    raise ContainerError(f"its first process did not connect within {PATIENCE_S:g} s")


def _watched(link: Link, launch: Launch, wake: socket.socket) -> int:
    """Hand everything over, then pass signals on until the process has ended."""
    numbers = (*STANDARD, *launch.descriptors)
    start = {"argv": launch.argv, "env": dict(launch.env), "cwd": launch.cwd, "numbers": numbers}
    link.send(start, numbers)
    for number in launch.descriptors:
        os.close(number)  # whoever waits for their end must not wait for this process
    try:
        while True:
            select.select([link.fileno(), wake.fileno()], [], [])
            with contextlib.suppress(BlockingIOError):
                for number in wake.recv(4096):
                    link.send({"signal": number})
            for message, _ in link.receive():
                return int(message["exited"])
    except LinkClosedError:
        return -signal.SIGKILL  # it was killed from outside, for want of memory perhaps


@contextlib.contextmanager
def _meeting() -> Iterator[tuple[Path, socket.socket]]:
    """A folder with a listening socket in it, for one connection."""
    folder = Path(tempfile.mkdtemp(prefix="lz-"))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(folder / SOCKET))
            listener.listen(1)
            yield folder, listener
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end_by(number: int) -> Any:
    """End as the process did: by a signal."""
    with contextlib.suppress(OSError, ValueError):  # SIGKILL needs no handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    sys.exit(main(os.environ))
