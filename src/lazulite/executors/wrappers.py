"""The kinds of sandboxes that processes of user code can be started in."""

from __future__ import annotations

from collections.abc import Mapping

from lazulite.executors import bubblewrap, limits
from lazulite.executors.container import (
    CONTAINER,
    OWN_CONTAINER,
    contained,
    contained_already,
)
from lazulite.executors.launch import PLAIN, Launch, Sandbox, Wrapper

WRAPPERS: Mapping[str, Wrapper] = {
    PLAIN: limits.limited,
    bubblewrap.KIND: bubblewrap.confined,
    CONTAINER: contained,
    OWN_CONTAINER: contained_already,
}
"""By the kind of the sandbox."""


def inside(sandbox: Sandbox, launch: Launch) -> Launch:
    """What to execute so that the launch happens in the sandbox.

    Raises ValueError for a kind that is not known here.
    """
    wrapper = WRAPPERS.get(sandbox.kind)
    if wrapper is None:
        raise ValueError(f"{sandbox.kind!r} is no kind of sandbox; there are {sorted(WRAPPERS)}")
    return wrapper(launch, sandbox)


def process_of(sandbox: Sandbox, pid: int) -> int:
    """Whom to signal, given the pid of what inside() made: never a process of somebody else."""
    return bubblewrap.process_of(pid) if sandbox.kind == bubblewrap.KIND else pid


def ending(sandbox: Sandbox, status: int) -> int:
    """How the process ended, as subprocess has it, given how what inside() made did."""
    return bubblewrap.ending(status) if sandbox.kind == bubblewrap.KIND else status
