"""Servers for tests that need a whole one."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.live import Live, running

# A shell that `lazulite env` has set up must not lead tests to the server of that shell.
for name in [name for name in os.environ if name.startswith(("LAZULITE_", "AZURE_"))]:
    del os.environ[name]

# No test fails because the machine is busy.
settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed beside a server shows what that knew: it may not fail so again."""
    report = yield
    if report.failed and call.when == "call":
        for name in ("server", "own_server"):
            if isinstance(live := item.funcargs.get(name), Live):
                report.sections.append((f"what {name} knew", live.told()))
    return report


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
