"""What the tests of identity share: a clock they move, keys made once, a real database."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.identity.access import Access
from lazulite.identity.applications import (
    Applications,
    SecretHasher,
    for_years,
    hashed_secret,
    new_application,
)
from lazulite.identity.assignments import RoleAssignments
from lazulite.identity.keys import Keyring, open_keyring
from lazulite.identity.principals import Principals, ServicePrincipal, new_principal
from lazulite.identity.role_definitions import RoleDefinitions
from lazulite.identity.tokens import Audiences, Holder, Tokens
from lazulite.store.database import close_database, open_database

TENANT = "11111111-2222-4333-8444-555555555555"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGINS = ("https://localhost:8443", "http://localhost:8080")


@dataclasses.dataclass
class MovableClock:
    now: datetime = NOW

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
    applications: Applications
    definitions: RoleDefinitions

    async def holder(self, name: str, secret_hash: str = "hash") -> Holder:
        """A new application with a service principal and a secret."""
        application = new_application(name, NOW)
        await self.applications.add(application)
        principal = new_principal(TENANT, application)
        await self.principals.add(principal)
        return Holder(principal=principal, credential=await self.secret(principal, secret_hash))

    async def secret(
        self, principal: ServicePrincipal, secret_hash: str = "hash", display_name: str = ""
    ) -> str:
        """One more secret; its key id."""
        lasts = for_years(NOW, 1)
        made = hashed_secret(principal.client_id, "xyz", secret_hash, lasts, display_name)
        await self.applications.add_secret(made, NOW)
        return made.key_id


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Making RSA keys takes a second."""
    folder = tmp_path_factory.mktemp("data") / "keys"
    open_keyring(folder)
    return folder


@pytest.fixture
def keys(key_folder: Path, tmp_path: Path) -> Keyring:
    shutil.copytree(key_folder, tmp_path / "keys")
    return open_keyring(tmp_path / "keys")


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
        engine,
        access,
        Principals(engine, access, clock),
        RoleAssignments(engine, access, clock),
        Applications(engine, access),
        RoleDefinitions(engine, access),
    )


@pytest.fixture
def tokens(keys: Keyring, clock: MovableClock) -> Tokens:
    return Tokens(keys.tokens, TENANT, ORIGINS, Audiences.of(ORIGINS), clock)
