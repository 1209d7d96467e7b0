"""The kinds of sandboxes that processes of user code can be started in."""

from __future__ import annotations

from collections.abc import Mapping

from lazulite.executors.launch import PLAIN, Launch, Sandbox, Wrapper, plain

WRAPPERS: Mapping[str, Wrapper] = {PLAIN: plain}
"""By the kind of the sandbox."""


def inside(sandbox: Sandbox, launch: Launch) -> Launch:
    """What to execute so that the launch happens in the sandbox.

    Raises ValueError for a kind that is not known here.
    """
    wrapper = WRAPPERS.get(sandbox.kind)
    if wrapper is None:
        raise ValueError(f"{sandbox.kind!r} is no kind of sandbox; there are {sorted(WRAPPERS)}")
    return wrapper(launch, sandbox)
