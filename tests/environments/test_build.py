"""Real builds, by the build task itself: packages are made by the test, no network is used."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.definition import from_requirements
from lazulite.environments.places import Places
from lazulite.environments.plan import plan_venv, to_json
from lazulite.environments.pythons import PythonRange
from lazulite.environments.requirements import requirements_of
from lazulite.store.files import read_json


class Bench:
    """One environment to build, and the processes that build it."""

    def __init__(self, tmp_path, env, interpreter, lines):
        plan = plan_venv(requirements_of(from_requirements(lines)), interpreter, "linux")
        self.places = Places(tmp_path / "envs", plan.hash)
        self.spec = tmp_path / f"{plan.hash}.json"
        self.spec.write_text(json.dumps({**to_json(plan), "root": str(self.places.root)}))
        self.env = env

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "lazulite.environments.build", self.spec],
            env=self.env,
            start_new_session=True,
        )

    def build(self) -> int:
        return self.start().wait()

    def log(self) -> str:
        return self.places.log.read_text()

    def run(self, code: str) -> str:
        command = [self.places.start().python, "-I", "-c", code]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def has_ended(pid: str) -> bool:
    """Whether the process is gone, or dead and only not yet waited for."""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.fixture
def bench(tmp_path, offline, interpreters):
    def make(lines: str, python: tuple[int, ...] | None = None) -> Bench:
        asked = PythonRange((("==", python),), "python", "condaFile") if python else None
        return Bench(tmp_path, offline, interpreters.find(asked), lines)

    return make


SETUP = """
from setuptools import setup
setup(name="legacy", version="1.0", py_modules=["legacy"])
"""
PYTHONS = [
    pytest.param((3, 6), marks=pytest.mark.slow),
    pytest.param((3, 7), marks=pytest.mark.slow),
    (3, 8),
    (3, 11),
    (3, 13),
]


@pytest.mark.parametrize("python", PYTHONS, ids=str)
def test_an_environment_runs_its_own_python_with_its_packages(bench, wheel, interpreters, python):
    try:
        interpreters.find(PythonRange((("==", python),), "python", "here"))
    except SpecError:
        pytest.skip(f"there is no Python {python} on this machine")
    wheel("base", "2.0")
    wheel("tiny", "1.0", requires=("base>=2",))
    made = bench("tiny==1.*", python)

    assert made.build() == 0

    assert made.run("import base, tiny, sys; print(sys.version_info[:2])") == str(python)
    assert made.run("import pip; print('has pip')") == "has pip"
    assert {"base==2.0", "tiny==1.0"} <= set(read_json(made.places.ready)["packages"])
    assert "tiny==1.*  (requirements.txt line 1, column 1)" in made.log()


def test_a_built_environment_is_not_built_again(bench, wheel):
    wheel("tiny", "1.0")
    made = bench("tiny")
    made.build()
    before = made.log()

    assert made.build() == 0

    assert made.log() == before


def test_an_environment_without_packages_is_a_bare_python(bench):
    made = bench("")

    assert made.build() == 0

    assert made.run("print('runs')") == "runs"


def test_packages_are_hard_links_into_the_cache_and_compiled(bench, wheel):
    wheel("tiny", "1.0")
    made = bench("tiny")

    made.build()

    [module] = made.places.prefix.glob("lib/python*/site-packages/tiny.py")
    assert module.stat().st_nlink > 1
    assert list(module.parent.glob("__pycache__/tiny.*.pyc"))


def test_a_failed_build_names_the_line_and_a_version_and_leaves_nothing(bench, wheel):
    wheel("tiny", "1.0")
    wheel("other", "1.0")
    made = bench("other\ntiny==3.0\n")

    assert made.build() == 1

    failure = read_json(made.places.failed)
    assert failure["culprits"] == ["tiny==3.0"]
    assert failure["remedy"].startswith("The newest tiny that fits Python 3.11 is 1.0.")
    assert not made.places.prefix.exists()
    assert not made.places.attempts.exists()
    assert "failed: " in made.log()


def test_a_failure_is_not_tried_again_until_its_record_is_removed(bench, wheel):
    made = bench("tiny")
    made.build()
    wheel("tiny", "1.0")

    assert made.build() == 1
    made.places.failed.unlink()
    assert made.build() == 0


def test_lines_that_exclude_each_other_are_both_named(bench, wheel):
    wheel("base", "1.0")
    wheel("base", "2.0")
    wheel("tiny", "1.0", requires=("base>=2",))
    made = bench("tiny\nbase==1.0\n")

    made.build()

    assert set(read_json(made.places.failed)["culprits"]) == {"tiny", "base==1.0"}
    assert "exclude each other" in read_json(made.places.failed)["remedy"]


@pytest.mark.slow
def test_on_python_3_7_pip_builds_what_uv_cannot(bench, source_package):
    """Without a network uv has no setuptools to build with; pip takes the environment's own."""
    source_package("legacy", "1.0", {"setup.py": SETUP})
    made = bench("legacy", (3, 7))

    assert made.build() == 0

    assert made.run("import legacy; print('built')") == "built"
    assert "trying again with this Python's own venv and pip" in made.log()


@pytest.mark.slow
def test_pip_too_says_which_line_failed(bench, wheel, source_package):
    wheel("other", "1.0")
    source_package("legacy", "1.0", {"setup.py": "raise ValueError('not today')"})
    made = bench("other\nlegacy\n", (3, 7))

    assert made.build() == 1

    assert read_json(made.places.failed)["culprits"] == ["legacy"]
    assert not made.places.prefix.exists()


def test_credentials_of_an_index_do_not_reach_the_log(bench, offline):
    del offline["PIP_NO_INDEX"]
    offline["PIP_INDEX_URL"] = "http://me:secret@127.0.0.1:9/simple"
    offline["UV_HTTP_RETRIES"] = "0"
    made = bench("tiny")

    assert made.build() == 1

    failure = read_json(made.places.failed)
    assert failure["code"] == "PackageIndexUnreachable"
    assert "the package index (127.0.0.1) cannot be reached" in failure["reason"]
    assert "secret" not in made.log() + json.dumps(failure)


@pytest.mark.crash
def test_two_builders_of_one_hash_build_once(bench, slow_package, until):
    started, go = slow_package
    made = bench("slow")
    builders = [made.start(), made.start()]
    until(started.exists)
    go.touch()

    assert [builder.wait() for builder in builders] == [0, 0]

    assert made.log().count("building with Python") == 1


@pytest.mark.crash
def test_the_log_can_be_read_while_the_build_runs(bench, slow_package, until):
    started, go = slow_package
    made = bench("slow")
    builder = made.start()
    until(started.exists)

    assert "building with Python" in made.log()
    assert made.places.start() is None

    go.touch()
    assert builder.wait() == 0
    assert "ready after" in made.log()


@pytest.mark.crash
def test_a_killed_build_takes_its_installer_along_and_is_built_anew(bench, slow_package, until):
    started, go = slow_package
    made = bench("slow")
    builder = made.start()
    until(started.exists)
    [installer] = Path(f"/proc/{builder.pid}/task/{builder.pid}/children").read_text().split()

    os.kill(builder.pid, signal.SIGKILL)
    builder.wait()

    until(lambda: has_ended(installer))
    assert made.places.start() is None
    assert len(made.places.attempts.read_text().splitlines()) == 1
    # The build script of the package is orphaned and may still write: it holds the lock.
    assert not has_ended(started.read_text())
    assert is_locked(made.places.lock)
    (made.places.prefix / "left-over").touch()
    go.touch()
    assert made.build() == 0
    assert not (made.places.prefix / "left-over").exists()
    assert made.run("import slow; print('whole')") == "whole"


def test_an_environment_whose_python_was_uninstalled_is_built_anew(bench, wheel):
    wheel("tiny", "1.0")
    made = bench("tiny")
    made.build()
    python = made.places.prefix / "bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")

    assert made.places.start() is None
    assert made.build() == 0
    assert made.run("import tiny; print('again')") == "again"
