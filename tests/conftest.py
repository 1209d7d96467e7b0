"""Servers for tests that need a whole one."""

import pytest
from hypothesis import HealthCheck, settings

from tests.live import running

# No test fails because the machine is busy.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


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
