"""Environments by hash, with real builds on the local executor."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from lazulite.core.errors import SpecError
from lazulite.environments.definition import (
    from_conda_file,
    from_properties,
    from_requirements,
)
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.environments.places import Places
from lazulite.environments.service import MAX_KILLED, Building, Built, Environments, Failed
from lazulite.executors.protocol import Phase


@pytest.fixture
def environments(tmp_path, executor, interpreters):
    return Environments(tmp_path / "envs", executor, interpreters.find)


async def ended(environments, definition):
    """What ensure() says once the build is over."""
    deadline = time.monotonic() + 30
    while isinstance(found := await environments.ensure(definition), Building):
        assert time.monotonic() < deadline, "the build did not end in 30 s"
        await asyncio.sleep(0.02)
    return found


async def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in 30 s"
        await asyncio.sleep(0.02)


async def phase_is(executor, hash_, phase):
    deadline = time.monotonic() + 30
    while await executor.observe(f"env-{hash_}") is not phase:
        assert time.monotonic() < deadline, f"the task did not become {phase} in 30 s"
        await asyncio.sleep(0.02)


async def test_an_environment_is_built_and_then_there(environments, wheel):
    wheel("tiny", "1.0")
    definition = from_requirements("tiny")

    first = await environments.ensure(definition)
    built = await ended(environments, definition)

    assert isinstance(first, Building)
    assert (built.hash, built.python) == (
        first.hash,
        environments._root / first.hash / "bin/python",
    )
    assert built.python.exists()
    assert await environments.ensure(definition) == built


async def test_many_callers_start_one_build(environments, wheel):
    wheel("tiny", "1.0")
    definition = from_requirements("tiny")

    states = await asyncio.gather(*(environments.ensure(definition) for _ in range(20)))
    built = await ended(environments, definition)

    assert {state.hash for state in states} == {built.hash}
    assert environments.log(built.hash).count(b"building with Python") == 1


async def test_a_failure_names_the_line_of_the_file_that_asked(environments, wheel):
    wheel("tiny", "1.0")
    ours = from_conda_file("dependencies:\n- pip:\n  - tiny==3.0\n")
    theirs = from_conda_file("name: x\ndependencies:\n- tiny==3.0\n")

    failed = await ended(environments, ours)
    same = await environments.ensure(theirs)

    assert isinstance(failed, Failed)
    assert "condaFile line 3, column 5: 'tiny==3.0'" in failed.error.message
    assert same.hash == failed.hash
    assert "condaFile line 3, column 3: 'tiny==3.0'" in same.error.message
    line, log = same.error.details
    assert line.message == "condaFile line 3, column 3: 'tiny==3.0'"
    assert (log.target, "No solution found" in log.message) == ("buildLog", True)
    assert str(failed.error.code) == "UnsolvableRequirements"


async def test_a_failed_build_is_tried_again_only_when_asked_to(environments, wheel):
    definition = from_requirements("tiny")
    failed = await ended(environments, definition)
    wheel("tiny", "1.0")

    assert isinstance(await environments.ensure(definition), Failed)
    await environments.retry(failed.hash)  # though its process may not have ended yet

    assert isinstance(await ended(environments, definition), Built)


async def test_a_build_that_runs_is_not_disturbed_by_a_retry(environments, slow_package):
    started, go = slow_package
    building = await environments.ensure(from_requirements("slow"))
    await until(started.exists)

    await environments.retry(building.hash)
    go.touch()

    assert isinstance(await ended(environments, from_requirements("slow")), Built)
    assert environments.log(building.hash).count(b"building with Python") == 1


async def test_a_definition_that_can_never_be_built_raises(environments):
    with pytest.raises(SpecError, match="line 1, column 16"):
        await environments.ensure(from_conda_file("dependencies: ['x @ file:///etc']"))
    with pytest.raises(SpecError, match=r"Python 3\.6 is the oldest"):
        await environments.ensure(from_conda_file("dependencies: [python=2.7]"))


def test_where_the_python_of_an_image_is_missing_another_one_will_do(tmp_path, executor):
    search = Search(running=Path(sys.executable))
    environments = Environments(tmp_path / "envs", executor, Interpreters(search).find)

    plan = environments.plan(from_properties({"image": "python:3.6"}))

    assert plan.interpreter.version[:2] == sys.version_info[:2]
    assert any("'python=3.6' is met by Python" in note for note in plan.notes)
    with pytest.raises(SpecError, match=r"3\.6"):
        environments.plan(from_conda_file("dependencies: [python=3.6]"))


async def test_the_log_is_read_from_an_offset(environments, executor, wheel):
    wheel("tiny", "1.0")
    built = await ended(environments, from_requirements("tiny"))
    await phase_is(executor, built.hash, Phase.SUCCEEDED)

    whole = environments.log(built.hash)

    assert whole.startswith(b"building with Python")
    assert environments.log(built.hash, 9) == whole[9:]
    assert environments.log(built.hash, len(whole)) == b""
    assert environments.log("0" * 32) == b""


async def test_using_an_environment_marks_it_as_used(environments, tmp_path, wheel):
    wheel("tiny", "1.0")
    definition = from_requirements("tiny")
    built = await ended(environments, definition)
    ready = Places(tmp_path / "envs", built.hash).ready
    os.utime(ready, (1, 1))

    await environments.ensure(definition)

    assert ready.stat().st_mtime > 1


async def test_an_environment_that_was_deleted_is_built_again(environments, executor, wheel):
    wheel("tiny", "1.0")
    definition = from_requirements("tiny")
    built = await ended(environments, definition)
    await phase_is(executor, built.hash, Phase.SUCCEEDED)
    shutil.rmtree(built.python.parents[1])

    assert isinstance(await environments.ensure(definition), Building)
    assert await ended(environments, definition) == built


@pytest.mark.crash
@pytest.mark.parametrize("victim", ["the build", "its whole group"])
async def test_a_killed_build_starts_again(environments, executor, slow_package, victim):
    started, go = slow_package
    definition = from_requirements("slow")
    building = await environments.ensure(definition)
    await until(started.exists)

    if victim == "the build":
        attempts = Places(environments._root, building.hash).attempts
        os.kill(int(attempts.read_text()), signal.SIGKILL)
        await phase_is(executor, building.hash, Phase.FAILED)
    else:
        await executor.stop(f"env-{building.hash}", kill=True)
        await phase_is(executor, building.hash, Phase.LOST)
    go.touch()

    assert isinstance(await environments.ensure(definition), Building)
    assert isinstance(await ended(environments, definition), Built)


@pytest.mark.crash
async def test_another_server_adopts_the_build_that_runs(
    environments, executor, interpreters, slow_package
):
    started, go = slow_package
    definition = from_requirements("slow")
    building = await environments.ensure(definition)
    await until(started.exists)

    successor = Environments(environments._root, executor, interpreters.find)

    assert await successor.ensure(definition) == building
    go.touch()
    assert isinstance(await ended(successor, definition), Built)
    assert successor.log(building.hash).count(b"building with Python") == 1


async def test_a_build_that_is_killed_each_time_has_failed(environments, tmp_path):
    definition = from_requirements("tiny")
    places = Places(tmp_path / "envs", environments.plan(definition).hash)
    places.root.mkdir()
    places.attempts.write_text("1\n" * MAX_KILLED)

    failed = await environments.ensure(definition)

    assert failed.error.code == "EnvironmentBuildKilled"
    assert "memory" in failed.error.message
    await environments.retry(failed.hash)
    assert isinstance(await environments.ensure(definition), Building)


async def test_a_build_task_that_breaks_is_reported_with_its_last_words(environments, executor):
    executor.env["PYTHONPATH"] = ""
    executor.env["PYTHONHOME"] = "/nowhere"
    definition = from_requirements("tiny")

    failed = await ended(environments, definition)

    assert failed.error.code == "EnvironmentBuildFailed"
    assert "ended without a result" in failed.error.message
