"""Role assignments in the database: who has which role at which scope."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold
from lazulite.identity.access import Access
from lazulite.identity.roles import OWNER, ROLES, RoleAssignment, is_plain, reaches
from lazulite.store.database import reading
from lazulite.store.identity_tables import role_assignments, role_definitions, service_principals

_ROW = role_assignments.c


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredAssignment:
    """An assignment with who made it and when."""

    assignment: RoleAssignment
    created_at: datetime
    created_by: str


class RoleAssignments:
    """Reads and changes role assignments; each call is one transaction."""

    def __init__(self, engine: AsyncEngine, access: Access, clock: Clock) -> None:
        self._engine, self._access, self._clock = engine, access, clock

    async def find(self, name: str) -> RoleAssignment | None:
        """The one of that name (a GUID)."""
        async with reading(self._engine).begin() as connection:
            return await _find(connection, name)

    async def stored(self, name: str, scope: str) -> StoredAssignment | None:
        """The one of that name at the scope, with who made it and when."""
        chosen = sa.and_(_ROW.name == name.lower(), _ROW.scope_key == fold(scope))
        async with reading(self._engine).begin() as connection:
            query = sa.select(role_assignments).where(chosen)
            row = (await connection.execute(query)).mappings().one_or_none()
        return _stored(row) if row else None

    async def around(self, scope: str) -> list[StoredAssignment]:
        """Those at the scope, above it and below it, with who made them and when."""
        below = _ROW.scope_key.startswith(f"{fold(scope)}/", autoescape=True)
        chosen = sa.or_(_ROW.scope_key.in_(scopes_above(scope)), below)
        query = sa.select(role_assignments).where(chosen).order_by(_ROW.scope_key, _ROW.name)
        async with reading(self._engine).begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_stored(row) for row in rows]

    async def assign(self, assignment: RoleAssignment, created_by: str) -> bool:
        """Give a role, at once. True if that is new, False if it stood there just so.

        created_by: object id. Raises ArmError with Azure's codes: RoleDefinitionDoesNotExist,
        InvalidScope, PrincipalNotFound, RoleAssignmentExists, RoleAssignmentUpdateNotPermitted.
        """
        _check(assignment)
        try:
            async with self._engine.begin() as connection:
                if present := await _find(connection, assignment.name):
                    _check_same(present, assignment)
                    return False
                await _check_role(connection, assignment)
                await _check_principal(connection, assignment.object_id)
                await insert_assignment(connection, assignment, created_by, self._clock())
        except IntegrityError as error:
            raise ArmError(
                "RoleAssignmentExists", "The role assignment already exists.", 409
            ) from error
        self._access.forget()
        return True

    async def unassign(self, name: str) -> bool:
        """Take a role back, at once. False if there is no such assignment.

        Raises ArmError for the last Owner of a subscription: nobody could undo that.
        """
        async with self._engine.begin() as connection:
            if (present := await _find(connection, name)) is None:
                return False
            await _check_not_last_owner(connection, present)
            await connection.execute(sa.delete(role_assignments).where(_ROW.name == present.name))
        self._access.forget()
        return True


async def insert_assignment(
    connection: AsyncConnection, assignment: RoleAssignment, created_by: str, now: datetime
) -> None:
    """Add the row within the caller's transaction. Raises IntegrityError for a second one."""
    row = dataclasses.asdict(assignment) | {
        "name": assignment.name.lower(),
        "scope_key": fold(assignment.scope),
        "created_at": now,
        "created_by": created_by,
    }
    await connection.execute(sa.insert(role_assignments).values(**row))


async def delete_assignments_of(connection: AsyncConnection, object_id: str) -> None:
    """Take all roles of one principal back, within the caller's transaction.

    Raises ArmError for the last Owner of a subscription.
    """
    chosen = _ROW.object_id == object_id
    for row in (await connection.execute(sa.select(*_COLUMNS).where(chosen))).mappings().all():
        await _check_not_last_owner(connection, RoleAssignment(**row))
    await connection.execute(sa.delete(role_assignments).where(chosen))


async def _check_not_last_owner(connection: AsyncConnection, leaving: RoleAssignment) -> None:
    if leaving.role_id != OWNER.id or fold(leaving.scope).count("/") > 2:
        return  # below a subscription, its owners still have a say
    owners = sa.select(sa.func.count()).where(
        _ROW.role_id == OWNER.id, _ROW.scope_key.in_(scopes_above(leaving.scope))
    )
    if (await connection.execute(owners)).scalar_one() == 1:
        message = "Deleting the last RBAC admin assignment is not permitted. Assign another first."
        raise ArmError("CannotDeleteLastRbacAdminAssignment", message, 409)


def scopes_above(scope: str) -> list[str]:
    """The scope and every one that encloses it, folded, the root ("") included."""
    parts = fold(scope).split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


async def _find(connection: AsyncConnection, name: str) -> RoleAssignment | None:
    query = sa.select(*_COLUMNS).where(_ROW.name == name.lower())
    row = (await connection.execute(query)).mappings().one_or_none()
    return RoleAssignment(**row) if row else None


def _check(assignment: RoleAssignment) -> None:
    if not is_plain(assignment.scope):
        message = f"The scope '{assignment.scope}' is not an ARM id such as /subscriptions/<id>."
        raise ArmError("InvalidScope", message)


async def _check_role(connection: AsyncConnection, assignment: RoleAssignment) -> None:
    """The role must be there, and meant for the scope. Custom roles name theirs."""
    if assignment.role_id in ROLES:
        return
    query = sa.select(role_definitions.c.assignable_scopes).where(
        role_definitions.c.id == assignment.role_id
    )
    meant_for = (await connection.execute(query)).scalar_one_or_none()
    if meant_for is None:
        message = f"The specified role definition with ID '{assignment.role_id}' does not exist."
        raise ArmError("RoleDefinitionDoesNotExist", message, 404)
    if not any(reaches(scope, assignment.scope) for scope in meant_for):
        message = (
            f"The scope '{assignment.scope}' is not among the assignable scopes of the role "
            f"'{assignment.role_id}': {', '.join(meant_for)}."
        )
        raise ArmError("RoleAssignmentScopeNotAssignableToRoleDefinition", message)


def _check_same(present: RoleAssignment, wanted: RoleAssignment) -> None:
    if dataclasses.replace(present, scope=fold(present.scope)) != dataclasses.replace(
        wanted, name=wanted.name.lower(), scope=fold(wanted.scope)
    ):
        message = (
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        )
        raise ArmError("RoleAssignmentUpdateNotPermitted", message, 409)


async def _check_principal(connection: AsyncConnection, object_id: str) -> None:
    known = sa.select(service_principals.c.object_id).where(
        service_principals.c.object_id == object_id
    )
    if (await connection.execute(known)).first() is None:
        message = f"Principal {object_id} does not exist in the directory."
        raise ArmError("PrincipalNotFound", message)


def _stored(row: Mapping[Any, Any]) -> StoredAssignment:
    given = {field.name: row[field.name] for field in dataclasses.fields(RoleAssignment)}
    return StoredAssignment(
        assignment=RoleAssignment(**given),
        created_at=row["created_at"],
        created_by=row["created_by"],
    )


_COLUMNS = [_ROW[field.name] for field in dataclasses.fields(RoleAssignment)]
