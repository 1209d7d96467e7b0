"""Hashes: equal for what makes equal environments, and only for that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lazulite.environments.definition import from_conda_file
from lazulite.environments.interpreters import Interpreter
from lazulite.environments.places import Places
from lazulite.environments.plan import from_json, plan_venv, to_json
from lazulite.environments.requirements import requirements_of

PYTHON = Interpreter(Path("/usr/bin/python3.7"), (3, 7, 16), Path("/usr/share/wheels"))


def planned(file: str, python: Interpreter = PYTHON, platform: str = "linux-x86_64-glibc2.36"):
    return plan_venv(requirements_of(from_conda_file(file)), python, platform)


SAME = "dependencies: [python=3.7, numpy=1.21, {pip: [six, 'flask>=1,<2']}]"


@pytest.mark.parametrize(
    "other",
    [
        "dependencies: [numpy=1.21, python=3.7, {pip: ['Flask <2, >=1', six]}]",
        "name: x\nchannels: [a]\ndependencies:\n- numpy=1.21.*\n- pip:\n  - six\n  - flask<2,>=1\n",
        "dependencies: [numpy=1.21, cudatoolkit, pip=19, {pip: [six, six, 'flask>=1,<2']}]",
    ],
)
def test_order_spelling_places_and_what_is_ignored_do_not_count(other):
    assert planned(other).hash == planned(SAME).hash


@pytest.mark.parametrize(
    "plan",
    [
        planned("dependencies: [numpy=1.22, {pip: [six, 'flask>=1,<2']}]"),
        planned("dependencies: [numpy=1.21, {pip: [six]}]"),
        planned("dependencies: [numpy=1.21, {pip: [--pre, six, 'flask>=1,<2']}]"),
        planned(SAME, Interpreter(PYTHON.path, (3, 7, 17))),
        planned(SAME, platform="linux-aarch64-glibc2.36"),
    ],
)
def test_packages_options_python_and_platform_count(plan):
    assert plan.hash != planned(SAME).hash


def test_the_hash_stays_the_same_from_version_to_version():
    """A change here makes every user build every environment again: raise FORMAT to do that."""
    assert planned(SAME).hash == "654a78c986a018d7ea7a34f099c3437a"


def test_a_plan_survives_its_way_to_the_build_task():
    plan = planned("dependencies: [python=3.7.3, numpy, {pip: [--pre, six]}]")

    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan


def test_a_patch_version_that_is_not_here_is_noted():
    assert planned("dependencies: [python=3.7.3]").notes == (
        "condaFile line 1, column 16: 'python=3.7.3' is met by Python 3.7.16",
    )
    assert planned("dependencies: [python=3.7]").notes == ()


@pytest.mark.parametrize("name", ["../../etc", "", "A" * 32, "0" * 31])
def test_only_a_hash_becomes_a_path(name):
    with pytest.raises(ValueError, match="hash of an environment"):
        Places(Path("/srv"), name)
