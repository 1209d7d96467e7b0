"""What a caller may do at this moment, read from the database at most once a second each."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.core.clock import Clock
from lazulite.identity.roles import RoleAssignment, allows
from lazulite.store.database import reading
from lazulite.store.identity_tables import role_assignments, service_principals

_FRESH = timedelta(seconds=1)
_MOST_CACHED = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller and their roles."""

    client_id: str
    object_id: str
    tenant_id: str
    display_name: str
    credential: int
    """Which of their secrets is the present one; tokens got with another are void."""
    assignments: tuple[RoleAssignment, ...]

    def may(self, action: str, scope: str) -> bool:
        """Whether any of the roles allows the action at the scope."""
        return allows(self.assignments, action, scope)


class Access:
    """Looks callers up, with a cache that no change made by this process outlives.

    A change made by another process is seen after a second at most.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine, self._clock = reading(engine), clock
        self._cache: dict[str, tuple[datetime, Principal | None]] = {}
        self._changes = 0

    async def principal(self, object_id: str) -> Principal | None:
        """The caller of that object id; None if there is no such one (any more)."""
        now = self._clock()
        if (cached := self._cache.get(object_id)) and cached[0] <= now < cached[0] + _FRESH:
            return cached[1]
        changes = self._changes
        found = await self._load(object_id)
        if changes == self._changes:  # else a change came meanwhile: what was read may be stale
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[object_id] = (now, found)
        return found

    def forget(self) -> None:
        """Drop the cache. Called after every change of principals and roles."""
        self._changes += 1
        self._cache.clear()

    async def _load(self, object_id: str) -> Principal | None:
        query = (
            sa.select(service_principals, *(role_assignments.c[name] for name in _ROLE_COLUMNS))
            .select_from(service_principals.outerjoin(role_assignments, _SAME_OBJECT))
            .where(service_principals.c.object_id == object_id)
        )
        async with self._engine.begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return _principal(object_id, rows) if rows else None


_ROLE_COLUMNS = ("name", "role_id", "scope")
_SAME_OBJECT = service_principals.c.object_id == role_assignments.c.object_id


def _principal(object_id: str, rows: Any) -> Principal:
    """One row per assignment; a single one without a role if there are none."""
    return Principal(
        client_id=rows[0]["client_id"],
        object_id=object_id,
        tenant_id=rows[0]["tenant_id"],
        display_name=rows[0]["display_name"],
        credential=rows[0]["credential"],
        assignments=tuple(
            RoleAssignment(object_id=object_id, **{name: row[name] for name in _ROLE_COLUMNS})
            for row in rows
            if row["role_id"] is not None
        ),
    )
