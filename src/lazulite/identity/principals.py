"""Service principals: who can sign in and have roles."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.identity.access import Access
from lazulite.identity.applications import Application, delete_application
from lazulite.identity.assignments import delete_assignments_of
from lazulite.store.database import reading
from lazulite.store.identity_tables import service_principals


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServicePrincipal:
    """An application as the tenant knows it: it signs in, and roles are given to it."""

    client_id: str
    object_id: str
    """What role assignments and a token's `oid` name."""
    tenant_id: str
    display_name: str


def new_principal(tenant_id: str, application: Application) -> ServicePrincipal:
    """A service principal of the application, with an object id of its own."""
    return ServicePrincipal(
        client_id=application.client_id,
        object_id=str(uuid.uuid4()),
        tenant_id=tenant_id,
        display_name=application.display_name,
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
        columns = service_principals.c
        query = sa.select(*_COLUMNS).order_by(columns.display_name, columns.client_id)
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

    async def remove(self, object_id: str) -> bool:
        """Remove one and its roles: its tokens are refused at once. False if there is none.

        Its application stays. Raises ArmError 409 for the last Owner.
        """
        async with self._engine.begin() as connection:
            removed = await _delete_principal(connection, object_id)
        self._access.forget()
        return removed

    async def remove_application(self, client_id: str) -> bool:
        """Remove an application, its secrets, its service principal and the roles of that.

        False if there is none. Raises ArmError 409 for the last Owner.
        """
        query = sa.select(service_principals.c.object_id).where(
            service_principals.c.client_id == client_id
        )
        async with self._engine.begin() as connection:
            object_id = (await connection.execute(query)).scalar_one_or_none()
            if object_id is not None:
                await _delete_principal(connection, object_id)
            removed = await delete_application(connection, client_id)
        self._access.forget()
        return removed


async def insert_principal(
    connection: AsyncConnection, principal: ServicePrincipal, now: datetime
) -> None:
    """Add the row within the caller's transaction. Raises IntegrityError if an id is taken."""
    row = dataclasses.asdict(principal) | {"created_at": now}
    await connection.execute(sa.insert(service_principals).values(**row))


async def _delete_principal(connection: AsyncConnection, object_id: str) -> bool:
    await delete_assignments_of(connection, object_id)
    chosen = sa.delete(service_principals).where(service_principals.c.object_id == object_id)
    return (await connection.execute(chosen)).rowcount > 0


_COLUMNS = [service_principals.c[field.name] for field in dataclasses.fields(ServicePrincipal)]
