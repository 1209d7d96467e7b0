"""Service principals: who can sign in. Their secrets are kept as argon2id hashes only."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from datetime import datetime

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.identity.access import Access
from lazulite.identity.assignments import delete_assignments_of
from lazulite.store.database import reading
from lazulite.store.identity_tables import service_principals


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServicePrincipal:
    """An application that signs in with a client id and a secret."""

    client_id: str
    object_id: str
    """What role assignments and a token's `oid` name."""
    tenant_id: str
    display_name: str
    secret_hash: str = dataclasses.field(repr=False)
    credential: int = 1
    """Counts its secrets."""


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
    return secrets.token_urlsafe(32)


def new_principal(
    tenant_id: str, display_name: str, secret_hash: str, client_id: str | None = None
) -> ServicePrincipal:
    """A service principal with ids of its own. client_id: to keep one that is known already."""
    return ServicePrincipal(
        client_id=client_id or str(uuid.uuid4()),
        object_id=str(uuid.uuid4()),
        tenant_id=tenant_id,
        display_name=display_name,
        secret_hash=secret_hash,
    )


class Principals:
    """The service principals in the database; each call is one transaction."""

    def __init__(self, engine: AsyncEngine, access: Access, clock: Clock) -> None:
        self._engine, self._access, self._clock = engine, access, clock

    async def find(self, client_id: str) -> ServicePrincipal | None:
        """The one of that client id, compared without case."""
        query = sa.select(*_COLUMNS).where(service_principals.c.client_id == client_id.lower())
        async with reading(self._engine).begin() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return ServicePrincipal(**row) if row else None

    async def all(self) -> list[ServicePrincipal]:
        """All of them, by name."""
        query = sa.select(*_COLUMNS).order_by(service_principals.c.display_name)
        async with reading(self._engine).begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [ServicePrincipal(**row) for row in rows]

    async def add(self, principal: ServicePrincipal) -> None:
        """Add one. Raises ArmError 409 if its client or object id is taken."""
        try:
            async with self._engine.begin() as connection:
                await insert_principal(connection, principal, self._clock())
        except IntegrityError as error:
            message = f"The service principal {principal.client_id!r} exists already."
            raise ArmError("Conflict", message, 409) from error
        self._access.forget()

    async def replace_secret(self, client_id: str, secret_hash: str) -> bool:
        """Set another secret; tokens got with the old one are refused at once.

        False if there is no such service principal.
        """
        chosen = service_principals.c.client_id == client_id.lower()
        count = service_principals.c.credential + 1
        statement = sa.update(service_principals).where(chosen)
        async with self._engine.begin() as connection:
            result = await connection.execute(
                statement.values(secret_hash=secret_hash, credential=count)
            )
        self._access.forget()
        return result.rowcount > 0

    async def remove(self, object_id: str) -> bool:
        """Remove one and its roles: its tokens are refused at once. False if there is none.

        Raises ArmError 409 for the last Owner of a subscription.
        """
        async with self._engine.begin() as connection:
            await delete_assignments_of(connection, object_id)
            result = await connection.execute(
                sa.delete(service_principals).where(service_principals.c.object_id == object_id)
            )
        self._access.forget()
        return result.rowcount > 0


async def insert_principal(
    connection: AsyncConnection, principal: ServicePrincipal, now: datetime
) -> None:
    """Add the row within the caller's transaction. Raises IntegrityError if an id is taken."""
    row = dataclasses.asdict(principal) | {"created_at": now}
    await connection.execute(sa.insert(service_principals).values(**row))


_COLUMNS = [service_principals.c[field.name] for field in dataclasses.fields(ServicePrincipal)]
