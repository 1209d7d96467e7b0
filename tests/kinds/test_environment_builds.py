"""Builds on request, their logs, and the cache, over HTTP with real builds."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

import pytest

from lazulite.environments.places import Places
from lazulite.environments.providers import EnvironmentProviders
from tests.app.conftest import in_process

PLAIN = {"condaFile": "dependencies: [python]\n"}
ONE = "/environments/plain/versions/1"


@pytest.fixture
async def environment(plane):
    """An environment that needs no packages; its builds are killed when the test ends."""
    assert (await plane.put(ONE, PLAIN)).status_code == 201
    yield ONE
    for name in plane.base.executor.names():
        await plane.base.executor.stop(name, kill=True)


async def cached(plane, path="environmentCache", method="GET", body=None):
    subscription = plane.workspace.partition("/resourceGroups")[0]
    below = f"{subscription}/providers/Microsoft.MachineLearningServices/locations/local"
    return await plane.call(method, f"{below}/{path}", body)


async def ended(plane, path=ONE):
    while True:
        found = (await plane.call("GET", f"{path}/buildLog")).json()
        if found["status"] not in {"Building", "NotBuilt"}:
            return found
        await asyncio.sleep(0.05)


async def test_an_environment_is_built_on_request_and_its_log_is_read(plane, environment):
    before = (await plane.call("GET", f"{ONE}/buildLog")).json()
    started = (await plane.call("POST", f"{ONE}/build")).json()
    whole = await ended(plane)
    rest = (await plane.call("GET", f"{ONE}/buildLog", offset=whole["nextOffset"])).json()
    again = (await plane.call("POST", f"{ONE}/build")).json()

    assert (before["status"], before["content"]) == ("NotBuilt", "")
    assert started["environment"] == before["environment"] == whole["environment"]
    assert (whole["status"], again["status"]) == ("Ready", "Ready")
    assert whole["content"].startswith("building with Python")
    assert whole["nextOffset"] >= len(whole["content"])
    assert "content" in rest


async def test_a_build_that_cannot_succeed_says_why(plane):
    await plane.put(ONE, {"condaFile": "dependencies: [python=2.7]"})

    for answer in (
        await plane.call("POST", f"{ONE}/build"),
        await plane.call("GET", f"{ONE}/buildLog"),
    ):
        assert answer.json()["status"] == "Failed"
        assert "Python 3.6 is the oldest" in answer.json()["error"]["message"]


async def test_a_failed_build_is_tried_again_unless_the_caller_says_no(plane):
    index = "dependencies: [{pip: [no-such-package-1234]}]"
    plane.base.executor.env.update(PIP_CONFIG_FILE="/dev/null", PIP_NO_INDEX="1")
    await plane.put(ONE, {"condaFile": index})

    async def asked(retry):
        return (await plane.call("POST", f"{ONE}/build", {"retry": retry})).json()

    assert (await asked(False))["status"] == "Building"
    failed = await ended(plane)
    assert failed["status"] == "Failed"
    assert "no-such-package-1234" in failed["error"]["message"]
    [log] = [each for each in failed["error"]["details"] if each.get("target") == "buildLog"]
    assert "No solution found" in log["message"]
    assert (await asked(False))["status"] == "Failed"
    assert (await asked(True))["status"] == "Building"
    assert (await ended(plane))["content"].count("building with Python") == 2


@pytest.mark.parametrize("offset", ["-1", "x", "9" * 30])
async def test_an_offset_is_a_number(plane, environment, offset):
    answer = await plane.call("GET", f"{ONE}/buildLog", offset=offset)

    assert (answer.status_code, answer.json()["error"]["target"]) == (400, "offset")


async def test_the_cache_is_listed_shown_and_pruned(plane, environment):
    await plane.call("POST", f"{ONE}/build")
    hash_ = (await ended(plane))["environment"]
    while "ready after" not in (await plane.call("GET", f"{ONE}/buildLog")).json()["content"]:
        await asyncio.sleep(0.05)
    while plane.base.executor.names() and await _runs(plane, hash_):
        await asyncio.sleep(0.05)
    ready = Places(plane.base.layout.folder("environments"), hash_).ready
    then = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(ready, (then, then))

    [listed] = (await cached(plane)).json()["value"]
    shown = (await cached(plane, f"environmentCache/{hash_[:8]}")).json()
    kept = await cached(plane, "pruneEnvironments", "POST", {"maxAgeDays": 3})
    pretended = await cached(plane, "pruneEnvironments", "POST", {"dryRun": True})
    gone = await cached(plane, "pruneEnvironments", "POST", {"maxAgeDays": 1})

    assert (listed["name"], listed["status"], listed["usedBy"]) == (hash_, "Ready", [])
    assert "building with Python" in shown["log"]
    assert kept.json()["value"] == []
    assert [each["name"] for each in pretended.json()["value"]] == [hash_]
    assert gone.json()["freed"] == listed["size"]
    assert (await cached(plane)).json()["value"] == []
    assert (await plane.call("GET", f"{ONE}/buildLog")).json()["status"] == "NotBuilt"


async def _runs(plane, hash_):
    return await plane.base.executor.observe(f"env-{hash_}") == "running"


async def test_faults_of_the_cache_are_named(plane):
    missing = await cached(plane, "environmentCache/abc")
    negative = await cached(plane, "pruneEnvironments", "POST", {"maxGib": -1})

    assert missing.status_code == 404
    assert negative.json()["error"]["details"][0]["target"] == "maxGib"


async def test_an_engine_that_has_ended_is_told_as_an_outage(tmp_path, keys):
    away = EnvironmentProviders(engine=str(tmp_path / "gone.sock"))
    async with in_process(tmp_path, keys, providers=away) as plane:
        await plane.put(ONE, {"image": "somewhere.example/image:1"})
        for method, verb in (("POST", "build"), ("GET", "buildLog")):
            answer = await plane.call(method, f"{ONE}/{verb}")
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "ContainerEngineUnavailable"
            assert answer.headers["retry-after"]
