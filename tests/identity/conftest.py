"""What the tests of identity share: a clock they move, keys made once, a real database."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.identity.access import Access
from lazulite.identity.assignments import RoleAssignments
from lazulite.identity.keys import Keyring, open_keyring
from lazulite.identity.principals import Principals, SecretHasher
from lazulite.identity.tokens import Audiences, Tokens
from lazulite.store.database import close_database, open_database

TENANT = "11111111-2222-4333-8444-555555555555"
ORIGINS = ("https://localhost:8443", "http://localhost:8080")


@dataclasses.dataclass
class MovableClock:
    now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclasses.dataclass
class Directory:
    engine: AsyncEngine
    access: Access
    principals: Principals
    assignments: RoleAssignments


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return open_keyring(tmp_path_factory.mktemp("data") / "keys")


@pytest.fixture
def hasher() -> SecretHasher:
    """Argon2 as cheap as it gets; what is tested does not depend on its cost."""
    return SecretHasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = await open_database(tmp_path / "lazulite.db")
    yield opened
    await close_database(opened)


@pytest.fixture
def directory(engine: AsyncEngine, clock: MovableClock) -> Directory:
    access = Access(engine, clock)
    return Directory(
        engine, access, Principals(engine, access, clock), RoleAssignments(engine, access, clock)
    )


@pytest.fixture
def tokens(keys: Keyring, clock: MovableClock) -> Tokens:
    return Tokens(keys.tokens, TENANT, ORIGINS, Audiences.of(ORIGINS), clock)
