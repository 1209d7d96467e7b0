"""Removes a container when the process that holds it is gone, whatever has ended it.

Containers of lazulite's own worker end by themselves; one with a server of its own would not.
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import IO

from lazulite.executors.container_engine import Engine, EngineError
from lazulite.executors.guard import post_guard


class ContainerGuard:
    """A process that outlives this one just long enough."""

    def __init__(self, engine: Engine) -> None:
        """Fork it. Call while there is one thread."""
        _, self._writing = post_guard(partial(_remove_listed, engine))

    def add(self, container: str) -> None:
        """Remove this container when the time comes."""
        os.write(self._writing, f"{container}\n".encode())


def _remove_listed(engine: Engine, lines: IO[bytes]) -> None:
    """Wait for the end of the list, then remove what was named."""
    for container in lines.read().decode().split():
        with contextlib.suppress(EngineError):  # the server's sweep comes by again
            engine.remove(container)
