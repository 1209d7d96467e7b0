"""Servers for tests that need a whole one."""

import pytest

from tests.live import running


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that leave it as it was."""
    with running(tmp_path_factory.mktemp("server")) as live:
        yield live


@pytest.fixture
def own_server(tmp_path):
    """A server that a test may hurt."""
    with running(tmp_path) as live:
        yield live
