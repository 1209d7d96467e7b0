"""Keepers for tests."""

import contextlib
import shutil
import tempfile
import textwrap
from pathlib import Path

import pytest

from tests.serving.kept import Kept


@pytest.fixture
def keep(tmp_path):
    """keep(script, replicas=1, **spec fields) starts a keeper; it ends with the test."""
    with contextlib.ExitStack() as stack:

        def start(script, replicas=1, **fields):
            folder = Path(tempfile.mkdtemp(prefix="lz-"))  # short: socket paths are limited
            stack.callback(shutil.rmtree, folder)
            (tmp_path / "score.py").write_text(textwrap.dedent(script))
            kept = Kept(folder, tmp_path, replicas, **fields)
            stack.callback(kept.close)
            return kept

        yield start
