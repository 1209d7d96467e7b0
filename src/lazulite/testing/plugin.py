"""Fixtures of pytest: one server for a run, and a workspace on it for each test.

pytest finds this by its entry point; nothing is started until a test asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import pytest

from lazulite.testing.handle import Lazulite
from lazulite.testing.server import RunningServer, running
from lazulite.testing.workspaces import name_for, workspace

_OPTION = "--lazulite-data-dir"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the plugin's option."""
    parser.getgroup("lazulite").addoption(
        _OPTION,
        metavar="DIR",
        help="Folder that the server keeps its data in, so that environments are built once and "
        "not by every run. Default: a temporary one.",
    )


@pytest.fixture(scope="session")
def lazulite_options() -> Sequence[str]:
    """More options of `lazulite up`: override it in conftest.py."""
    return ()


@pytest.fixture(scope="session")
def lazulite_server(
    lazulite_options: Sequence[str],
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningServer]:
    """The server of this run, or of this worker of pytest-xdist."""
    folder = tmp_path_factory.mktemp("lazulite")
    kept = Path(pytestconfig.getoption(_OPTION) or folder / "data").absolute()
    data_dir = kept / os.environ.get("PYTEST_XDIST_WORKER", "main")
    with running(data_dir, lazulite_options, folder / "log") as found:
        yield found


@pytest.fixture
def lazulite(
    lazulite_server: RunningServer,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lazulite]:
    """A workspace for this test, with the variables that lead clients of Azure to it."""
    state, name = lazulite_server.state, name_for(request.node.name)
    tell = import_module("lazulite.app.client_environment").client_variables
    told = tell(state, lazulite_server.credentials, str(lazulite_server.data_dir))
    environ = {**told, "LAZULITE_WORKSPACE": name}
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    with workspace(lazulite_server, name, environ):
        yield Lazulite(
            url=state["url"],
            http_url=state["http_url"],
            subscription_id=state["subscription_id"],
            resource_group=state["resource_group"],
            workspace=name,
            environ=environ,
        )
