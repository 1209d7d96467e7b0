"""Crash loops: of replicas and of keepers, counted and said."""

import pytest

from lazulite.executors.launch import Sandbox
from lazulite.executors.memory import MemoryExecutor
from lazulite.executors.protocol import Phase
from lazulite.serving.keeper_restarts import KeeperRestarts
from lazulite.serving.kept_logs import KeptLogs
from lazulite.serving.replica_health import unwell
from lazulite.serving.replica_sets import ReplicaSets, ReplicaSpec

SPEC = ReplicaSpec(
    python="", processes=1, env={}, code_dir=None, init_timeout_s=1, request_timeout_ms=1
)


def replica(state, **more):
    return {"index": 0, "state": state, "restarts": 4, "exit": "signal 9", "error": None, **more}


def test_a_deployment_none_of_whose_replicas_stays_up_says_so_with_the_traceback():
    looping = replica("crash-loop", error="ValueError: no model")
    found = unwell({"state": "starting", "replicas": [looping, replica("starting")]})
    assert found["code"] == "ReplicasCrashLoop"
    assert "started 5 times" in found["message"]
    assert "signal 9:\nValueError: no model" in found["message"]


@pytest.mark.parametrize(
    "replicas",
    [[replica("crash-loop"), replica("ready")], [replica("backoff")], [replica("starting")], []],
)
def test_a_deployment_that_serves_or_has_just_begun_is_well(replicas):
    assert unwell({"state": "ready", "replicas": replicas}) is None


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def executor(tmp_path):
    return MemoryExecutor(tmp_path / "tasks")


@pytest.fixture
def sets(executor, tmp_path, clock):
    kept = KeptLogs(tmp_path / "kept")
    return ReplicaSets(executor, tmp_path, tmp_path, Sandbox(), kept, KeeperRestarts(clock))


async def test_a_keeper_that_dies_again_and_again_is_started_ever_later(sets, executor, clock):
    starts, states = 0, []
    for _ in range(200):
        states.append((await sets.ensure("uid-1", SPEC)).get("state"))
        if await executor.observe("uid-1") is Phase.RUNNING:
            starts += 1
            (executor.folder("uid-1") / "log").write_text("Killed: no memory")
            executor.end("uid-1", Phase.LOST)
        clock.now += 0.1
    assert 8 <= starts <= 12
    assert states[0] is None
    assert states[-1] == "crash-loop"
    status = await sets.ensure("uid-1", SPEC)
    assert status["restarts"] == starts - 1
    assert status["error"]["code"] == "KeeperCrashLoop"
    assert "no memory" in status["error"]["message"]


async def test_a_keeper_that_was_well_for_a_while_is_started_at_once(sets, executor, clock):
    for count in range(6):
        status = await sets.ensure("uid-1", SPEC)
        assert await executor.observe("uid-1") is Phase.RUNNING
        assert (status.get("state"), status["restarts"]) == (None, count)
        clock.now += 11
        executor.end("uid-1", Phase.LOST)


async def test_a_keeper_of_an_earlier_server_is_started_again_at_once(
    sets, executor, tmp_path, clock
):
    kept = KeptLogs(tmp_path / "kept")
    await ReplicaSets(executor, tmp_path, tmp_path, Sandbox(), kept).ensure("uid-1", SPEC)
    assert (await sets.ensure("uid-1", SPEC))["restarts"] == 0
    executor.end("uid-1", Phase.LOST)
    assert (await sets.ensure("uid-1", SPEC))["restarts"] == 1
    assert await executor.observe("uid-1") is Phase.RUNNING


async def test_a_set_that_is_gone_is_forgotten(sets, executor):
    await sets.ensure("uid-1", SPEC)
    executor.end("uid-1", Phase.LOST)
    assert await sets.discard("uid-1")
    assert (await sets.ensure("uid-1", SPEC))["restarts"] == 0
