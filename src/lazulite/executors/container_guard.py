"""Removes a container when the process that holds it is gone, whatever has ended it.

Containers of lazulite's own worker end by themselves; one with a server of its own would not.
"""

from __future__ import annotations

import contextlib
import os
import signal

from lazulite.executors.container_engine import Engine, EngineError


class ContainerGuard:
    """A process that outlives this one just long enough."""

    def __init__(self, engine: Engine) -> None:
        """Fork it. Call while there is one thread and before descriptors are opened."""
        reading, self._writing = os.pipe()
        if os.fork() == 0:
            os.close(self._writing)
            _stand_guard(reading, engine)
        os.close(reading)

    def add(self, container: str) -> None:
        """Remove this container when the time comes."""
        os.write(self._writing, f"{container}\n".encode())


def _stand_guard(reading: int, engine: Engine) -> None:
    """Wait for the end of the pipe, then remove what was named. Never returns."""
    # Its own session: a kill of the whole group must not take the guard along.
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(reading + 1, os.sysconf("SC_OPEN_MAX"))
    os.closerange(3, reading)
    with os.fdopen(reading) as lines:
        containers = lines.read().split()
    for container in containers:
        with contextlib.suppress(EngineError):  # the server's sweep comes by again
            engine.remove(container)
    os._exit(0)
