"""A sandbox for tests, and why there is none where bubblewrap does not work."""

import sys
from pathlib import Path

import pytest

from lazulite.executors import bubblewrap, limits
from lazulite.executors.launch import Sandbox

SOURCES = Path(__file__).parents[2] / "src"
TROUBLE = bubblewrap.trouble(bubblewrap.find() or "bwrap")
needs_bubblewrap = pytest.mark.skipif(bool(TROUBLE), reason=f"no bubblewrap: {TROUBLE}")


def sandbox(**fields):
    """One that shows the tests' own Python, and the product."""
    details = {limits.PROCESSES: "200", bubblewrap.TMP_MIB: "16"}
    box = Sandbox(kind=bubblewrap.KIND, details=details, **fields)
    return box.showing(sys.base_prefix, sys.prefix, str(SOURCES))
