"""The environments that are on this machine: how large, when last used, and which may go.

An environment is taken away in the reverse order of its making: first `ready.json`, so that nobody
starts with half of it, then its files. Killed in between, it is what a killed build left.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from lazulite.environments.places import Places, task_name
from lazulite.executors.protocol import Executor
from lazulite.store.files import read_json

GRACE = timedelta(minutes=5)
"""What was used within this time stays: who has just got it may not have noted so yet."""
_HASH = re.compile(r"([0-9a-f]{32})(\.\w+)*")


class State(StrEnum):
    """What stands at the place of an environment."""

    READY = "Ready"
    BUILDING = "Building"
    FAILED = "Failed"
    BROKEN = "Broken"
    """A killed build left files, or its interpreter is gone; the next build starts anew."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One environment on disk."""

    hash: str
    state: State
    size: int  # bytes, as if no file were shared with the installer's cache
    last_used: datetime
    about: Mapping[str, Any]
    """What the build noted: python, packages, seconds; of a failed one: code, reason."""
    used_by: tuple[str, ...] = ()
    """Deployments, jobs and tasks that run in it, or will."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What may stay. Without any limit, only what is in use stays."""

    age: timedelta | None = None
    """Since the last use."""
    size: int | None = None  # bytes, of all environments together


Users = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""Who uses environments: each with a text that has the hash of every one that it uses."""


class Cache:
    """Lists and prunes the environments of one root folder."""

    def __init__(self, root: Path, executor: Executor, users: Users) -> None:
        """executor: what runs the builds."""
        self._root, self._executor, self._users = root, executor, users

    async def entries(self) -> list[Entry]:
        """Everything that is there, the least recently used first. Reads all folders' sizes."""
        found = await asyncio.to_thread(lambda: [_entry(each) for each in _all(self._root)])
        users = await self._users()
        named = (dataclasses.replace(each, used_by=_users_of(each.hash, users)) for each in found)
        return sorted(named, key=lambda each: each.last_used)

    async def prune(self, limits: Limits, now: datetime, *, pretend: bool = False) -> list[Entry]:
        """Remove what the limits do not let stay, and never what is in use or being built.

        pretend: remove nothing. Returns what went, or would. May be cut short, and repeated.
        """
        chosen = to_go(await self.entries(), limits, now)
        if pretend:
            return chosen
        return [entry for entry in chosen if await self._removed(entry)]

    async def sweep(self) -> None:
        """Remove what killed builds left; how often they were killed stays noted."""
        for places in await asyncio.to_thread(lambda: list(_all(self._root))):
            with places.held() as is_free:
                if is_free and not places.ready.exists():
                    await asyncio.to_thread(shutil.rmtree, places.prefix, ignore_errors=True)

    async def _removed(self, entry: Entry) -> bool:
        """Remove one, unless somebody builds it or has used it since it was looked at."""
        places = Places(self._root, entry.hash)
        with places.held() as is_free:
            # Without a pause up to the unlink: ensure() answers from the same loop.
            if not is_free or _last_used(places) > entry.last_used:
                return False
            places.ready.unlink(missing_ok=True)
            for path in (places.failed, places.attempts, places.log):
                path.unlink(missing_ok=True)
            await asyncio.to_thread(shutil.rmtree, places.prefix, ignore_errors=True)
        await self._executor.forget(task_name(entry.hash))
        return True


def to_go(entries: Iterable[Entry], limits: Limits, now: datetime) -> list[Entry]:
    """Which of the entries the limits do not let stay, the least recently used first."""
    listed = sorted(entries, key=lambda entry: entry.last_used)
    total = sum(entry.size for entry in listed)
    gone: list[Entry] = []
    for entry in listed:
        if entry.used_by or entry.state is State.BUILDING or now - entry.last_used < GRACE:
            continue
        is_old = limits.age is not None and now - entry.last_used > limits.age
        is_too_much = limits.size is not None and total > limits.size
        if is_old or is_too_much or limits == Limits():
            gone.append(entry)
            total -= entry.size
    return gone


def _all(root: Path) -> Iterator[Places]:
    """Every hash that more than a lock is left of."""
    names = [path.name for path in root.iterdir()] if root.is_dir() else []
    found = (_HASH.fullmatch(name) for name in names if not name.endswith(".lock"))
    for hash_ in sorted({each[1] for each in found if each}):
        yield Places(root, hash_)


def _entry(places: Places) -> Entry:
    with places.held() as is_free:
        state = _state(places, is_free=is_free)
    about = read_json(places.ready if state is State.READY else places.failed) or {}
    kept = {name: about[name] for name in about if name not in {"hash", "tail"}}
    return Entry(places.hash, state, _size(places.prefix), _last_used(places), kept)


def _state(places: Places, *, is_free: bool) -> State:
    if places.start() is not None:
        return State.READY
    if not is_free:
        return State.BUILDING
    return State.FAILED if places.failed.exists() else State.BROKEN


def _last_used(places: Places) -> datetime:
    for path in (places.ready, places.failed, places.log, places.prefix):
        with contextlib.suppress(FileNotFoundError):
            return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return datetime.fromtimestamp(0, UTC)


def _size(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(Path(path, name)).st_blocks * 512
    return total


def _users_of(hash_: str, users: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(who for who, text in users if hash_ in text)
