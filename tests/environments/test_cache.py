"""What stays on disk and what goes: real folders, real locks."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from lazulite.environments.cache import Cache, Entry, Limits, State, to_go
from lazulite.environments.definition import from_requirements
from lazulite.environments.places import Places
from lazulite.environments.service import Building, Built, Environments
from lazulite.executors.protocol import Phase

NOW = datetime(2026, 1, 31, tzinfo=UTC)
LETTERS = "abcdef"


def entry(letter, *, days=0.0, size=1, state=State.READY, used_by=()):
    return Entry(letter * 32, state, size, NOW - timedelta(days=days), {}, used_by)


def letters(gone):
    return "".join(each.hash[0] for each in gone)


@pytest.mark.parametrize(
    ("limits", "gone"),
    [
        (Limits(), "dba"),
        (Limits(age=timedelta(days=5)), "db"),
        (Limits(age=timedelta(days=50)), ""),
        (Limits(size=100), ""),
        (Limits(size=65), "d"),
        (Limits(size=50), "db"),
        (Limits(size=0), "dba"),
        (Limits(age=timedelta(days=15), size=60), "d"),
    ],
)
def test_the_least_recently_used_go_first_and_what_is_in_use_stays(limits, gone):
    entries = [
        entry("a", days=1, size=10),
        entry("b", days=10, size=10),
        entry("c", days=99, size=20, used_by=("a deployment",)),
        entry("d", days=20, size=10),
        entry("e", days=99, size=10, state=State.BUILDING),
        entry("f", days=0.001, size=10),
    ]
    assert letters(to_go(entries, limits, NOW)) == gone


@pytest.fixture
def root(tmp_path):
    return tmp_path / "envs"


@pytest.fixture
def environments(root, executor, interpreters):
    return Environments(root, executor, interpreters.find)


def cache_of(root, executor, *users):
    async def known():
        return users

    return Cache(root, executor, known)


async def built(environments, definition):
    while isinstance(found := await environments.ensure(definition), Building):
        await asyncio.sleep(0.02)
    return found


async def ended(executor, hash_):
    while await executor.observe(f"env-{hash_}") is Phase.RUNNING:
        await asyncio.sleep(0.02)


def age(root, hash_, days):
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(Places(root, hash_).ready, (then, then))


async def test_an_environment_is_listed_with_its_size_its_last_use_and_its_users(
    environments, root, executor, wheel
):
    wheel("tiny", "1.0")
    made = await built(environments, from_requirements("tiny"))
    await ended(executor, made.hash)
    age(root, made.hash, 3)
    users = (("blue", json.dumps({"python": str(made.python)})), ("green", "{}"))

    [found] = await cache_of(root, executor, *users).entries()

    assert (found.hash, found.state, found.used_by) == (made.hash, State.READY, ("blue",))
    assert "tiny==1.0" in found.about["packages"]
    assert found.size > 100_000
    assert 2.9 < (datetime.now(UTC) - found.last_used).total_seconds() / 86400 < 3.1


async def test_pruning_leaves_nothing_but_what_is_used(environments, root, executor, wheel):
    wheel("tiny", "1.0")
    wheel("other", "1.0")
    used = await built(environments, from_requirements("tiny"))
    unused = await built(environments, from_requirements("other"))
    for made in (used, unused):
        await ended(executor, made.hash)
        age(root, made.hash, 1)
    cache = cache_of(root, executor, ("blue", used.hash))

    pretended = await cache.prune(Limits(), datetime.now(UTC), pretend=True)
    assert unused.python.exists()
    gone = await cache.prune(Limits(), datetime.now(UTC))

    assert [each.hash for each in gone] == [each.hash for each in pretended] == [unused.hash]
    left = sorted(path.name for path in root.glob(f"{unused.hash}*"))
    assert left == [f"{unused.hash}.lock"]
    assert await built(environments, from_requirements("tiny")) == used
    assert isinstance(await built(environments, from_requirements("other")), Built)


async def test_what_was_just_used_stays(environments, root, executor, wheel):
    wheel("tiny", "1.0")
    made = await built(environments, from_requirements("tiny"))
    await ended(executor, made.hash)

    assert await cache_of(root, executor).prune(Limits(), datetime.now(UTC)) == []


async def test_what_is_used_while_it_is_looked_at_stays(environments, root, executor, wheel):
    wheel("tiny", "1.0")
    made = await built(environments, from_requirements("tiny"))
    await ended(executor, made.hash)
    age(root, made.hash, 1)

    async def late():
        await environments.ensure(from_requirements("tiny"))
        return ()

    assert await Cache(root, executor, late).prune(Limits(), datetime.now(UTC)) == []
    assert made.python.exists()


async def test_what_is_being_built_is_listed_and_stays(root, executor):
    places = Places(root, "a" * 32)
    places.prefix.mkdir(parents=True)
    cache = cache_of(root, executor)
    with places.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        [found] = await cache.entries()
        gone = await cache.prune(Limits(), datetime.now(UTC) + timedelta(days=1))
        await cache.sweep()

    assert (found.state, gone) == (State.BUILDING, [])
    assert places.prefix.exists()


@pytest.mark.crash
async def test_a_killed_build_leaves_nothing_after_the_sweep(
    environments, root, executor, slow_package
):
    started, _ = slow_package
    building = await environments.ensure(from_requirements("slow"))
    while not started.exists():
        await asyncio.sleep(0.02)
    await executor.stop(f"env-{building.hash}", kill=True)
    await ended(executor, building.hash)
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(started.read_text()), signal.SIGKILL)
    places = Places(root, building.hash)
    cache = cache_of(root, executor)
    while not await _swept(cache, places):
        await asyncio.sleep(0.02)  # until the last process of the build has let go of the lock

    [found] = await cache.entries()
    assert (found.state, found.size) == (State.BROKEN, 0)
    assert places.attempts.exists()


async def _swept(cache, places):
    await cache.sweep()
    return not places.prefix.exists()


async def test_an_empty_cache_is_an_empty_list(root, executor):
    cache = cache_of(root, executor)

    await cache.sweep()
    assert await cache.entries() == []
    assert await cache.prune(Limits(), NOW) == []
