"""The resource row: desired state (properties, generation) beside observed state."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold, parent_of
from lazulite.store.database import reading
from lazulite.store.identity_tables import role_assignments
from lazulite.store.schema import resources

Json = dict[str, Any]
KEPT = timedelta(days=1)
ROW = resources.c


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resource:
    """One row, as it was read."""

    uid: str
    resource_type: str
    id: str
    key: str
    parent: str
    envelope: Json
    properties: Json
    secrets: Json
    generation: int
    observed: Json
    observed_generation: int
    error: Json | None
    due_at: datetime | None
    lease_token: str | None
    lease_until: datetime | None
    attempts: int
    deleting: bool
    gone_at: datetime | None
    revision: int
    created_at: datetime
    created_by: str
    modified_at: datetime
    modified_by: str

    @property
    def name(self) -> str:
        """The last segment of the id."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def provisioning_state(self) -> str:
        """Azure's provisioningState, read off the two generations."""
        if self.deleting:
            return "Deleting"
        if self.observed_generation == self.generation:
            return "Succeeded" if self.error is None else "Failed"
        return "Creating" if self.observed_generation == 0 else "Updating"

    @property
    def task_name(self) -> str:
        """Names the side effects of this generation: starting them again adopts them."""
        return f"{self.uid}-{self.generation}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Draft:
    """What a PUT wants a resource to be."""

    resource_type: str
    id: str
    properties: Json
    envelope: Json = dataclasses.field(default_factory=dict)
    secrets: Json = dataclasses.field(default_factory=dict)
    uid: str | None = None
    """Which one it was made for; None: whichever is there."""
    reconciled: bool = True
    """Whether a reconcile step brings it about; a record is converged as it is written."""


class Resources:
    """Reads and writes of resource rows; every write is one transaction."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        """clock: the time that rows are stamped with."""
        self.engine, self.clock = engine, clock
        self._reader = reading(engine)

    async def find(self, arm_id: str) -> Resource | None:
        """The resource of that id, in any case."""
        rows = await self._select(ROW.key == fold(arm_id))
        return rows[0] if rows else None

    async def by_uid(self, uid: str) -> Resource | None:
        """The resource of that uid, deleted ones of the last day included."""
        rows = await self._select(ROW.uid == uid)
        return rows[0] if rows else None

    async def children(self, parent: str, resource_type: str) -> list[Resource]:
        """Resources of one type right under a parent, oldest first."""
        under = sa.and_(ROW.parent == fold(parent), ROW.gone_at.is_(None))
        return await self._select(under, ROW.resource_type == resource_type)

    async def of_type(self, resource_type: str, under: str = "") -> list[Resource]:
        """All resources of a type anywhere below an id, oldest first."""
        below = ROW.key.startswith(fold(under) + "/", autoescape=True) if under else sa.true()
        return await self._select(ROW.resource_type == resource_type, below, ROW.gone_at.is_(None))

    async def below(self, arm_id: str) -> list[Resource]:
        """Whatever is anywhere below an id, those that are being deleted included."""
        inside = ROW.key.startswith(fold(arm_id) + "/", autoescape=True)
        return await self._select(inside, ROW.gone_at.is_(None))

    async def put(
        self, draft: Draft, actor: str, *, if_revision: int | None = None, only_new: bool = False
    ) -> tuple[Resource, bool] | None:
        """Create or update; True if created. None if the condition on what is there fails.

        Raises ArmError 409 for a resource that is being deleted, or that is gone though the draft
        was made for it. The same draft again changes nothing, unless the last attempt failed: then
        it is tried again. A changed draft raises the generation and makes the resource due.
        """
        async with self.engine.begin() as tx:
            found = await self._locked(tx, draft.id)
            if (only_new and found) or if_revision not in (None, found.revision if found else None):
                return None
            if draft.uid not in (None, found.uid if found else None) or (found and found.deleting):
                message = f"{draft.id!r} is being deleted: wait until it is gone, then repeat."
                raise ArmError("Conflict", message, 409)
            if found is None:
                return await self._insert(tx, draft, actor), True
            return await self._update(tx, found, draft, actor), False

    async def delete(self, arm_id: str, actor: str, *, reconciled: bool) -> Resource | None:
        """Mark for deletion (its reconcile step takes it down), or remove a record at once."""
        now = self.clock()
        async with self.engine.begin() as tx:
            found = await self._locked(tx, arm_id)
            if found is None:
                return None
            if not reconciled:
                return await self._write(tx, found, gone(found, now))
            if found.deleting:
                return found
            change = {"deleting": True, "generation": found.generation + 1, "due_at": now}
            return await self._write(tx, found, {**change, "modified_by": actor, "error": None})

    async def unfinished(self, parent: str, resource_type: str) -> list[Resource]:
        """Those right under a parent that have not reached their present state, oldest first."""
        under = sa.and_(ROW.parent == fold(parent), ROW.gone_at.is_(None))
        open_ = ROW.observed_generation < ROW.generation
        return await self._select(under, ROW.resource_type == resource_type, open_)

    async def release_leases(self) -> None:
        """Free what dead workers held, and drop tombstones of more than a day.

        To be called by the only control plane, before its workers start.
        """
        free = {"lease_token": None, "lease_until": None}
        async with self.engine.begin() as tx:
            await tx.execute(sa.update(resources).values(free))
            await tx.execute(sa.delete(resources).where(ROW.gone_at < self.clock() - KEPT))

    async def touch(self, arm_id: str) -> None:
        """Make a resource due now: something that its reconcile step looks at has changed."""
        change = sa.update(resources).where(ROW.key == fold(arm_id), ROW.gone_at.is_(None))
        async with self.engine.begin() as tx:
            await tx.execute(change.values(due_at=self.clock()))

    async def reseal(self, arm_id: str, secrets: Json) -> None:
        """Replace the secrets of a resource."""
        change = sa.update(resources).where(ROW.key == fold(arm_id)).values(secrets=secrets)
        async with self.engine.begin() as tx:
            await tx.execute(change)

    async def _select(self, *conditions: sa.ColumnElement[bool]) -> list[Resource]:
        query = sa.select(resources).where(*conditions).order_by(ROW.created_at, ROW.key)
        async with self._reader.connect() as connection:
            return [from_row(row) for row in (await connection.execute(query)).mappings()]

    async def _locked(self, tx: AsyncConnection, arm_id: str) -> Resource | None:
        query = sa.select(resources).where(ROW.key == fold(arm_id)).with_for_update()
        row = (await tx.execute(query)).mappings().one_or_none()
        return None if row is None else from_row(row)

    async def _insert(self, tx: AsyncConnection, draft: Draft, actor: str) -> Resource:
        """A new row. Roles at an earlier resource of that id are not roles at this one."""
        now = self.clock()
        stale = role_assignments.c.scope_key == fold(draft.id)
        await tx.execute(sa.delete(role_assignments).where(stale))
        values = {
            "uid": uuid.uuid4().hex,
            "resource_type": draft.resource_type,
            "id": draft.id,
            "key": fold(draft.id),
            "parent": fold(parent_of(draft.id)),
            "envelope": draft.envelope,
            "properties": draft.properties,
            "secrets": draft.secrets,
            "generation": 1,
            "observed": {},
            "observed_generation": 0 if draft.reconciled else 1,
            "due_at": now if draft.reconciled else None,
            "created_at": now,
            "created_by": actor,
            "modified_at": now,
            "modified_by": actor,
        }
        done = await tx.execute(sa.insert(resources).values(values).returning(resources))
        return from_row(done.mappings().one())

    async def _update(
        self, tx: AsyncConnection, found: Resource, draft: Draft, actor: str
    ) -> Resource:
        same = draft.properties == found.properties and draft.envelope == found.envelope
        same_secrets = all(found.secrets.get(key) == draft.secrets[key] for key in draft.secrets)
        if same and same_secrets and found.error is None:
            return found
        now, generation = self.clock(), found.generation + 1
        change: Json = {
            "envelope": draft.envelope,
            "properties": draft.properties,
            "secrets": {**found.secrets, **draft.secrets},
            "generation": generation,
            "error": None,
            "attempts": 0,
            "modified_at": now,
            "modified_by": actor,
        }
        change |= {"due_at": now} if draft.reconciled else {"observed_generation": generation}
        return await self._write(tx, found, change)

    async def _write(self, tx: AsyncConnection, found: Resource, change: Json) -> Resource:
        values = {"revision": found.revision + 1, **change}
        statement = sa.update(resources).where(ROW.uid == found.uid).values(values)
        done = await tx.execute(statement.returning(resources))
        return from_row(done.mappings().one())


def gone(found: Resource, now: datetime) -> Json:
    """What makes a row a tombstone: its id is free again, its operation still answers."""
    return {
        "key": f"{found.key}#{found.uid}",
        "gone_at": now,
        "deleting": True,
        "due_at": None,
        "secrets": {},
        "observed_generation": found.generation + (0 if found.deleting else 1),
        "generation": found.generation + (0 if found.deleting else 1),
        "lease_token": None,
        "lease_until": None,
    }


def from_row(row: Mapping[Any, Any]) -> Resource:
    """A value of a row."""
    return Resource(**dict(row))
