"""The kinds of sandboxes that processes of user code can be started in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

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


@contextlib.contextmanager
def inside(sandbox: Sandbox, launch: Launch) -> Iterator[Launch]:
    """What to execute, while this holds, so that the launch happens in the sandbox.

    Descriptors that only the sandbox needs are closed here afterwards. Raises ValueError for a kind
    that is not known here, and OSError for mounts that cannot be.
    """
    made = wrapper_of(sandbox)(launch, sandbox)
    try:
        yield made
    finally:
        for descriptor in set(made.descriptors).difference(launch.descriptors):
            os.close(descriptor)


def wrapper_of(sandbox: Sandbox) -> Wrapper:
    """What brings launches into the sandbox. Raises ValueError for a kind that is not known."""
    wrapper = WRAPPERS.get(sandbox.kind)
    if wrapper is None:
        raise ValueError(f"{sandbox.kind!r} is no kind of sandbox; there are {sorted(WRAPPERS)}")
    return wrapper


def process_of(sandbox: Sandbox, pid: int) -> int:
    """Whom to signal, given the pid of what inside() made: never a process of somebody else."""
    return bubblewrap.process_of(pid) if sandbox.kind == bubblewrap.KIND else pid


def ending(sandbox: Sandbox, status: int) -> int:
    """How the process ended, as subprocess has it, given how what inside() made did."""
    return bubblewrap.ending(status) if sandbox.kind == bubblewrap.KIND else status
