"""Applications and their client secrets, in the database; secrets as argon2id hashes only."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.core.errors import ArmError
from lazulite.identity.access import Access
from lazulite.store.database import reading
from lazulite.store.identity_tables import applications, client_secrets, service_principals

MOST_SECRETS = 8
"""Of one application: a wrong secret is compared with all of them, slowly."""
MOST_DEVICES = 64
"""Secrets that devices of one application have got; the next one takes the oldest one's place."""
DEVICE = "device code"
"""The display name of such a secret; no other can have it."""
_HINT = 3  # characters
_SECRET = client_secrets.c


@dataclasses.dataclass(frozen=True, kw_only=True)
class Application:
    """What a service principal stands for in the tenant, and what its secrets belong to."""

    client_id: str
    """`appId` in Microsoft's words."""
    object_id: str
    """The application's own, not its service principal's."""
    display_name: str
    created_at: datetime


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """One of an application's secrets, without the secret itself."""

    key_id: str
    client_id: str
    display_name: str
    hint: str
    """How it begins, for people to tell secrets apart."""
    secret_hash: str = dataclasses.field(repr=False)
    starts_at: datetime
    ends_at: datetime

    def may_be(self, secret: str) -> bool:
        """False if it is a device's, and begins otherwise: these are too many to compare slowly."""
        return self.display_name != DEVICE or self.hint == secret[:_HINT]


class SecretHasher:
    """Hashes client secrets slowly on purpose: 50 ms and 64 MiB a call. Call it in a thread."""

    def __init__(self, argon2: PasswordHasher | None = None) -> None:
        """argon2: parameters of new hashes; by default the second choice of RFC 9106."""
        self._argon2 = argon2 or PasswordHasher()

    def hash(self, secret: str) -> str:
        """A salted hash that carries its own parameters."""
        return self._argon2.hash(secret)

    def matches(self, secret_hash: str, secret: str) -> bool:
        """Whether the hash was made of this secret. Raises argon2's error for a broken hash."""
        try:
            return self._argon2.verify(secret_hash, secret)
        except VerifyMismatchError:
            return False


def new_secret() -> str:
    """A client secret: 256 random bits, safe in URLs, forms and shells."""
    letter = secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")  # az refuses values that start with a dash
    return letter + secrets.token_urlsafe(32)


def new_application(display_name: str, now: datetime, client_id: str = "") -> Application:
    """An application with ids of its own. client_id: to keep one that is known already."""
    return Application(
        client_id=client_id or str(uuid.uuid4()),
        object_id=str(uuid.uuid4()),
        display_name=display_name,
        created_at=now,
    )


def hashed_secret(
    client_id: str, secret: str, secret_hash: str, lasts: tuple[datetime, datetime], name: str = ""
) -> ClientSecret:
    """What is kept of a new secret. lasts: from when until when it can get tokens."""
    return ClientSecret(
        key_id=str(uuid.uuid4()),
        client_id=client_id,
        display_name=name,
        hint=secret[:_HINT],
        secret_hash=secret_hash,
        starts_at=lasts[0],
        ends_at=lasts[1],
    )


def for_years(start: datetime, years: float) -> tuple[datetime, datetime]:
    """From start until so many years of 365 days later."""
    return start, start + timedelta(days=365 * years)


class Applications:
    """The applications in the database and their secrets; each call is one transaction."""

    def __init__(self, engine: AsyncEngine, access: Access) -> None:
        self._engine, self._access = engine, access

    async def all(self) -> list[Application]:
        """All of them, by name."""
        query = sa.select(applications).order_by(
            applications.c.display_name, applications.c.client_id
        )
        async with reading(self._engine).begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Application(**row) for row in rows]

    async def add(self, application: Application) -> None:
        """Add one; it has neither secret nor service principal yet."""
        async with self._engine.begin() as connection:
            await insert_application(connection, application)

    async def rename(self, client_id: str, display_name: str) -> None:
        """Give it and its service principal another name."""
        async with self._engine.begin() as connection:
            for table in (applications, service_principals):
                chosen = sa.update(table).where(table.c.client_id == client_id)
                await connection.execute(chosen.values(display_name=display_name))
        self._access.forget()

    async def secrets(self, client_id: str) -> list[ClientSecret]:
        """Its secrets, the newest first, those that have ended too."""
        query = sa.select(client_secrets).where(_SECRET.client_id == client_id)
        query = query.order_by(_SECRET.starts_at.desc(), _SECRET.key_id)
        async with reading(self._engine).begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [ClientSecret(**row) for row in rows]

    async def add_secret(self, secret: ClientSecret, now: datetime) -> None:
        """Add a secret; those of the application that have ended are dropped.

        A device's takes the place of the oldest one if there are too many. Raises ArmError 400 if
        the application has as many others as it can have.
        """
        async with self._engine.begin() as connection:
            await _make_room(connection, secret, now)
            await insert_secret(connection, secret)
        self._access.forget()

    async def remove_secret(self, client_id: str, key_id: str) -> bool:
        """Remove a secret; tokens got with it are refused at once. False if there is none."""
        chosen = sa.and_(_SECRET.client_id == client_id, _SECRET.key_id == key_id.lower())
        async with self._engine.begin() as connection:
            result = await connection.execute(sa.delete(client_secrets).where(chosen))
        self._access.forget()
        return result.rowcount > 0


async def _make_room(connection: AsyncConnection, secret: ClientSecret, now: datetime) -> None:
    mine, is_device = _SECRET.client_id == secret.client_id, secret.display_name == DEVICE
    ended = sa.delete(client_secrets).where(mine, _SECRET.ends_at <= now)
    await connection.execute(ended)
    alike = _SECRET.display_name == DEVICE if is_device else _SECRET.display_name != DEVICE
    query = sa.select(_SECRET.key_id).where(mine, alike).order_by(_SECRET.starts_at.desc())
    found = (await connection.execute(query)).scalars().all()
    if is_device:
        too_many = _SECRET.key_id.in_(found[MOST_DEVICES - 1 :])
        await connection.execute(sa.delete(client_secrets).where(too_many))
    elif len(found) >= MOST_SECRETS:
        message = (
            f"The application {secret.client_id} has {MOST_SECRETS} secrets, which is the "
            "most that one can have. Remove one that is not needed any more."
        )
        raise ArmError("BadArgument", message, target="passwordCredential")


async def insert_application(connection: AsyncConnection, application: Application) -> None:
    """Add the row within the caller's transaction. Raises IntegrityError if an id is taken."""
    await connection.execute(sa.insert(applications).values(**dataclasses.asdict(application)))


async def insert_secret(connection: AsyncConnection, secret: ClientSecret) -> None:
    """Add the row within the caller's transaction."""
    await connection.execute(sa.insert(client_secrets).values(**dataclasses.asdict(secret)))


async def delete_application(connection: AsyncConnection, client_id: str) -> bool:
    """Remove it and its secrets within the caller's transaction. False if there is none."""
    await connection.execute(sa.delete(client_secrets).where(_SECRET.client_id == client_id))
    chosen = sa.delete(applications).where(applications.c.client_id == client_id)
    return (await connection.execute(chosen)).rowcount > 0
