"""The environment that stands for a user's own: `make test` installs it beside the test venv."""

import sys
from pathlib import Path

import pytest

PYTHON = Path(sys.prefix) / "science" / "bin" / "python"


def science_python():
    """Its interpreter; the test is skipped where only a bare pytest runs."""
    if not PYTHON.exists():
        pytest.skip("the packages of requirements/science.txt are not installed: use make test")
    return str(PYTHON)
