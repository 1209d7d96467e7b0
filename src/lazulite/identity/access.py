"""What a caller may do at this moment, read from the database at most once a second each."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.identity.roles import ROLES, Role, RoleAssignment, allows, reaches
from lazulite.store.database import reading
from lazulite.store.identity_tables import (
    client_secrets,
    role_assignments,
    role_definitions,
    service_principals,
)

_FRESH = timedelta(seconds=1)
_MOST_CACHED = 1000
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Principal:
    """A caller and their roles."""

    client_id: str
    object_id: str
    tenant_id: str
    display_name: str
    credentials: frozenset[str]
    """The key ids of their secrets; tokens got with another one are void."""
    assignments: tuple[RoleAssignment, ...]
    custom: Mapping[str, Role] = dataclasses.field(default_factory=dict)
    """Those of their roles that are not built in, by id."""

    def may(self, action: str, scope: str) -> bool:
        """Whether any of the roles allows the action at the scope."""
        return allows(self.assignments, action, scope, self.custom)

    def has_role_in(self, scope: str) -> bool:
        """Whether they have any role, at the scope, above it, or inside of it."""
        scopes = [each.scope for each in self.assignments]
        return any(reaches(each, scope) or reaches(scope, each) for each in scopes)

    def roles_at(self, scope: str) -> list[Role]:
        """Their roles that reach the scope."""
        known = {**ROLES, **self.custom}
        reaching = [each for each in self.assignments if reaches(each.scope, scope)]
        return [known[each.role_id] for each in reaching if each.role_id in known]


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

    async def require(self, object_id: str, action: str, scope: str) -> None:
        """For what is done in somebody's name. Raises ArmError 403 unless they may do it now."""
        principal = await self.principal(object_id)
        if principal is None or not principal.may(action, scope):
            message = (
                f"The client with object id '{object_id}' does not have authorization to perform "
                f"action '{action}' over scope '{scope}': give them a role there, or have somebody "
                "write this who may."
            )
            raise ArmError("AuthorizationFailed", message, 403)

    async def everyone(self) -> list[Principal]:
        """All principals that there are, as they are now."""
        async with self._engine.begin() as connection:
            who = (await connection.execute(sa.select(service_principals))).mappings().all()
            roles = (await connection.execute(sa.select(role_assignments))).mappings().all()
            owners = sa.select(client_secrets.c.client_id, client_secrets.c.key_id)
            secrets = (await connection.execute(owners)).mappings().all()
            own = (await connection.execute(sa.select(*CUSTOM_ROLE))).mappings().all()
        given = _grouped((row["object_id"], _assignment(row)) for row in roles)
        key_ids = _grouped((row["client_id"], row["key_id"]) for row in secrets)
        custom = {role.id: role for role in map(custom_role, own)}
        return [
            Principal(
                client_id=row["client_id"],
                object_id=row["object_id"],
                tenant_id=row["tenant_id"],
                display_name=row["display_name"],
                credentials=frozenset(key_ids.get(row["client_id"], ())),
                assignments=tuple(given.get(row["object_id"], ())),
                custom=custom,
            )
            for row in who
        ]

    def forget(self) -> None:
        """Drop the cache. Called after every change of principals and roles."""
        self._changes += 1
        self._cache.clear()

    async def _load(self, object_id: str) -> Principal | None:
        async with self._engine.begin() as connection:
            who = (await connection.execute(_select(service_principals, object_id))).mappings()
            if (row := who.one_or_none()) is None:
                return None
            given = (await connection.execute(_select(role_assignments, object_id))).mappings()
            mine = sa.select(client_secrets.c.key_id).where(
                client_secrets.c.client_id == row["client_id"]
            )
            key_ids = (await connection.execute(mine)).scalars().all()
            held = sa.select(role_assignments.c.role_id).where(
                role_assignments.c.object_id == object_id
            )
            own = sa.select(*CUSTOM_ROLE).where(role_definitions.c.id.in_(held))
            custom = [custom_role(role) for role in (await connection.execute(own)).mappings()]
        return Principal(
            client_id=row["client_id"],
            object_id=object_id,
            tenant_id=row["tenant_id"],
            display_name=row["display_name"],
            credentials=frozenset(key_ids),
            assignments=tuple(_assignment(each) for each in given),
            custom={role.id: role for role in custom},
        )


CUSTOM_ROLE = [
    role_definitions.c[field.name]
    for field in dataclasses.fields(Role)
    if field.name in role_definitions.c
]


def custom_role(row: Mapping[Any, Any]) -> Role:
    """The role that a row of role_definitions is."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    return Role(**given, is_custom=True)


def _select(table: sa.Table, object_id: str) -> sa.Select[Any]:
    return sa.select(table).where(table.c.object_id == object_id)


def _grouped(pairs: Iterable[tuple[str, _T]]) -> dict[str, list[_T]]:
    found: dict[str, list[_T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _assignment(row: Mapping[Any, Any]) -> RoleAssignment:
    return RoleAssignment(**{field.name: row[field.name] for field in _ASSIGNMENT})


_ASSIGNMENT = dataclasses.fields(RoleAssignment)
