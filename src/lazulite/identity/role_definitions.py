"""Role definitions: the built-in ones, and custom ones in the database."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.core.errors import ArmError
from lazulite.core.ids import fold
from lazulite.identity.access import CUSTOM_ROLE, Access, custom_role
from lazulite.identity.roles import ROLES, Role, reaches
from lazulite.store.database import reading
from lazulite.store.identity_tables import role_assignments, role_definitions

_ROW = role_definitions.c


class RoleDefinitions:
    """Reads all roles, and changes custom ones; each call is one transaction."""

    def __init__(self, engine: AsyncEngine, access: Access) -> None:
        self._engine, self._access = engine, access

    async def at(self, scope: str) -> list[Role]:
        """Those that can be assigned at the scope: built-in ones first, each kind by name."""
        async with reading(self._engine).begin() as connection:
            rows = (await connection.execute(sa.select(*CUSTOM_ROLE))).mappings().all()
        custom = sorted((custom_role(row) for row in rows), key=lambda role: role.name)
        reaching = [
            role for role in custom if any(reaches(each, scope) for each in role.assignable_scopes)
        ]
        return [*sorted(ROLES.values(), key=lambda role: role.name), *reaching]

    async def find(self, role_id: str) -> Role | None:
        """The role of that GUID."""
        if built_in := ROLES.get(role_id.lower()):
            return built_in
        query = sa.select(*CUSTOM_ROLE).where(_ROW.id == role_id.lower())
        async with reading(self._engine).begin() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return custom_role(row) if row else None

    async def put(self, role: Role) -> bool:
        """Write a custom role; it counts at once. True if it is new.

        Raises ArmError 409 if another role has its name.
        """
        row = dataclasses.asdict(role) | {"name_key": fold(role.name)}
        del row["is_custom"]
        if any(fold(each.name) == fold(role.name) for each in ROLES.values()):
            raise _name_taken(role.name)
        try:
            async with self._engine.begin() as connection:
                chosen = sa.update(role_definitions).where(_ROW.id == role.id)
                changed = (await connection.execute(chosen.values(**row))).rowcount
                if not changed:
                    await connection.execute(sa.insert(role_definitions).values(**row))
        except IntegrityError as error:
            raise _name_taken(role.name) from error
        self._access.forget()
        return not changed

    async def remove(self, role_id: str) -> None:
        """Remove a custom role. Raises ArmError 400 while somebody has it."""
        held = sa.select(sa.func.count()).where(role_assignments.c.role_id == role_id)
        async with self._engine.begin() as connection:
            if count := (await connection.execute(held)).scalar_one():
                message = (
                    f"There are existing role assignments ({count}) referencing the role "
                    f"'{role_id}'. Delete them first."
                )
                raise ArmError("RoleDefinitionHasAssignments", message)
            await connection.execute(sa.delete(role_definitions).where(_ROW.id == role_id))
        self._access.forget()


def _name_taken(name: str) -> ArmError:
    message = f"A custom role with the name '{name}' exists already. Use another name."
    return ArmError("RoleDefinitionWithSameNameExists", message, 409)
