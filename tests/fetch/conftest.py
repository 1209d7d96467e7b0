"""A web server on loopback, and a fetcher that may go there."""

import pytest

from lazulite.fetch.limits import Limits
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from tests.web import serving

PATIENT = Limits(size=1 << 20)
QUICK = Limits(size=1 << 20, window_s=0.2, least=10, seconds=3, connect_s=2)
"""For tests of slow servers alone: a busy machine is slow, too."""


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def fetcher():
    """One that may fetch from loopback."""
    return Fetcher(Rules.parse(["127.0.0.1"], []), PATIENT)
