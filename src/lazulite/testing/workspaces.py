"""A workspace for one test: made before it, gone with all that is in it afterwards."""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping

from lazulite.cli.connection import connect
from lazulite.cli.report import Report
from lazulite.cli.workspace import Workspace
from lazulite.core.errors import LazuliteError
from lazulite.testing.server import RunningServer

_API_VERSION = "2023-10-01"
_PATIENCE_S = 120.0
_LONGEST = 33
"""Characters of a workspace's name."""


def name_for(test: str) -> str:
    """A name that no other test has, and that tells whose it is."""
    tail = uuid.uuid4().hex[:6]
    told = re.sub(r"[^a-z0-9]+", "-", test.lower().removeprefix("test_")).strip("-")
    return f"{f't-{told}'[: _LONGEST - len(tail) - 1].rstrip('-')}-{tail}"


@contextlib.contextmanager
def workspace(server: RunningServer, name: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Make it, and wait until it is ready; delete it, and wait until it is gone."""
    connection = connect(server.data_dir, environ, workspace=name)
    there = Workspace.over(connection, Report(quiet=True))
    try:
        body = {"location": "local", "identity": {"type": "SystemAssigned"}, "properties": {}}
        there.arm("PUT", "", body, version=_API_VERSION)
        _wait(lambda: _state(there) == "Succeeded", f"The workspace {name!r} was not made")
        try:
            yield
        finally:
            if there.find("") is not None:
                there.arm("DELETE", "", version=_API_VERSION)
                _wait(lambda: there.find("") is None, f"The workspace {name!r} was not deleted")
    finally:
        there.http.close()


def _state(there: Workspace) -> object:
    return there.get("", _API_VERSION)["properties"]["provisioningState"]


def _wait(is_so: Callable[[], bool], complaint: str) -> None:
    """Raises LazuliteError after two minutes."""
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise LazuliteError("TimedOut", f"{complaint} within {_PATIENCE_S:.0f} s.")
        time.sleep(0.05)
