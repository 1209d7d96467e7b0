"""Pythons that uv downloads: from an archive of this machine, made by the test."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.definition import from_conda_file
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.environments.python_downloads import PythonDownloads
from lazulite.environments.service import Absent, Building, Environments, Failed

ANSWER = '#!/bin/sh\necho \'{"version": [3, 9, 18], "bundled": [], "implementation": "CPython"}\'\n'
SYSCONFIG = (
    "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n"
)
NEEDS = from_conda_file("dependencies: [python=3.9.2]")


@pytest.fixture
def source(tmp_path, offline):
    """Where uv looks for Pythons: there is 3.9.18, whose archive answers the probe and no more."""
    archive = tmp_path / "python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in {
            "bin/python3.9": ANSWER,
            "bin/python3": ANSWER,
            "lib/python3.9/_sysconfigdata__linux_x86_64-linux-gnu.py": SYSCONFIG,
        }.items():
            entry = tarfile.TarInfo(f"python/{name}")
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    listed = {
        "name": "cpython", "arch": {"family": "x86_64", "variant": None}, "os": "linux",
        "libc": "gnu", "major": 3, "minor": 9, "patch": 18, "prerelease": "", "variant": None,
        "url": archive.as_uri(), "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
    }  # fmt: skip
    index = tmp_path / "pythons.json"
    index.write_text(json.dumps({"cpython-3.9.18-linux-x86_64-gnu": listed}))
    offline.update(UV_PYTHON_DOWNLOADS_JSON_URL=str(index), UV_HTTP_RETRIES="0")
    return archive


@pytest.fixture
def environments(tmp_path, source, executor):
    """On a machine that has the running Python alone."""
    search = Search(running=Path(sys.executable), roots=(tmp_path / "pythons",))
    downloads = PythonDownloads(tmp_path / "envs", tmp_path / "pythons", executor)
    find = Interpreters(search).find
    return Environments(tmp_path / "envs", executor, find, downloads=downloads)


async def planned(environments, hash_):
    """The plan, once the download is over; the error if it has failed."""
    while isinstance(found := await environments.look(NEEDS), Building) or found == Absent(hash_):
        await asyncio.sleep(0.02)
    return found.error if isinstance(found, Failed) else environments.plan(NEEDS)


async def test_a_missing_python_is_downloaded_and_then_used(environments, tmp_path):
    states = [await environments.ensure(NEEDS) for _ in range(3)]
    assert {type(state) for state in states} == {Building}
    assert len({state.hash for state in states}) == 1

    plan = await planned(environments, states[0].hash)

    assert plan.interpreter.number == "3.9.18"
    assert plan.interpreter.path.is_relative_to(tmp_path / "pythons")
    assert any("is met by Python 3.9.18" in note for note in plan.notes)
    while environments.log(states[0].hash):  # of a success, none is kept
        await asyncio.sleep(0.02)


async def test_a_download_that_fails_says_why_and_is_tried_again_on_request(environments, source):
    content = source.read_bytes()
    source.unlink()
    started = await environments.ensure(NEEDS)

    error = await planned(environments, started.hash)

    assert error.code == "PythonNotFound"
    assert "Here are: 3." in error.message
    assert "uv cannot download it (" in error.message
    assert "downloading it with uv" in environments.log(started.hash).decode()
    source.write_bytes(content)
    assert isinstance(await environments.ensure(NEEDS), Failed)
    while isinstance(await environments.ensure(NEEDS), Failed):
        await environments.retry(started.hash)
    assert (await planned(environments, started.hash)).interpreter.number == "3.9.18"


async def test_what_uv_does_not_carry_is_not_asked_for(environments):
    with pytest.raises(SpecError, match=r"pyenv install 3\.6"):
        await environments.ensure(from_conda_file("dependencies: [python=3.6]"))
