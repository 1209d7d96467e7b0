"""The resource row: desired state (properties, generation) beside observed state."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError
from lazulite.core.ids import fold, name_of, parent_of
from lazulite.store.database import reading
from lazulite.store.identity_tables import role_assignments
from lazulite.store.pages import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    ROW,
    Condition,
    Order,
    Place,
    anywhere_below,
    as_number,
    right_under,
)
from lazulite.store.schema import resources

Json = dict[str, Any]
KEPT = timedelta(days=1)


class Resource(NamedTuple):
    """One row, as it was read: the fields are COLUMNS in order."""

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
    settled_at: datetime | None

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
    under: str = ""
    """The id of what a new row is in: it must be there and not be leaving. "": nothing must."""
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

    async def find_all(self, arm_ids: Sequence[str]) -> dict[str, Resource]:
        """Those of the ids that are there, by folded id."""
        rows = await self._select(ROW.key.in_([fold(arm_id) for arm_id in arm_ids]))
        return {row.key: row for row in rows}

    async def by_uid(self, uid: str) -> Resource | None:
        """The resource of that uid, deleted ones of the last day included."""
        rows = await self._select(ROW.uid == uid)
        return rows[0] if rows else None

    async def children(self, parent: str, resource_type: str) -> list[Resource]:
        """Resources of one type right under a parent, oldest first."""
        return await self._select(*right_under(parent, resource_type))

    async def of_type(self, resource_type: str, under: str = "") -> list[Resource]:
        """All resources of a type anywhere below an id, oldest first."""
        return await self._select(*anywhere_below(under, resource_type))

    async def named(self, resource_type: str, name: str) -> list[Resource]:
        """All resources of a type with that name in any case, wherever they are, oldest first."""
        same = ROW.name == name.casefold()
        return await self._select(ROW.resource_type == resource_type, same, ROW.gone_at.is_(None))

    async def page(
        self,
        conditions: Sequence[Condition],
        order: Order = OLDEST_FIRST,
        *,
        after: Place | None = None,
        most: int | None = None,
        offset: int = 0,
    ) -> list[Resource]:
        """At most so many of a list, behind a place in its order, less the first few."""
        behind = () if after is None else (order.behind(after),)
        return await self._select(*conditions, *behind, order=order, most=most, offset=offset)

    async def newest(self, parent: str, resource_type: str, *also: Condition) -> Resource | None:
        """The youngest of one type right under a parent that meets the conditions."""
        found = await self.page((*right_under(parent, resource_type), *also), NEWEST_FIRST, most=1)
        return found[0] if found else None

    async def counted(
        self, parents: Sequence[str], resource_type: str
    ) -> list[tuple[str | None, int]]:
        """For each parent: the name of its youngest child, and the largest number that names one.

        The number is 0 where no child is named by one.
        """
        child = resources.alias()
        of_it = sa.and_(
            child.c.parent == ROW.key,
            child.c.resource_type == resource_type,
            child.c.gone_at.is_(None),
        )
        ids = sa.select(child.c.id).where(of_it)
        newest = ids.order_by(child.c.created_at.desc(), child.c.key.desc()).limit(1)
        number = sa.select(sa.func.max(child.c.number)).where(of_it)
        query = sa.select(ROW.key, newest.scalar_subquery(), number.scalar_subquery())
        keys = [fold(parent) for parent in parents]
        async with self._reader.connect() as connection:
            rows = (await connection.execute(query.where(ROW.key.in_(keys)))).all()
        found = {key: (arm_id and name_of(arm_id), most or 0) for key, arm_id, most in rows}
        return [found.get(key, (None, 0)) for key in keys]

    async def below(self, arm_id: str) -> list[Resource]:
        """Whatever is anywhere below an id, those that are being deleted included."""
        inside = ROW.key.startswith(fold(arm_id) + "/", autoescape=True)
        return await self._select(inside, ROW.gone_at.is_(None))

    async def put(
        self, draft: Draft, actor: str, *, if_revision: int | None = None, only_new: bool = False
    ) -> tuple[Resource, bool] | None:
        """Create or update; True if created. None if the condition on what is there fails.

        Raises ArmError 409 for a resource that is being deleted, that is gone though the draft was
        made for it, whose parent is leaving, or whose name another one has. The same draft again
        changes nothing, unless the last attempt failed: then it is tried again. A changed draft
        raises the generation and makes the resource due.
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

    async def add(self, drafts: Sequence[Draft], actor: str) -> None:
        """Create those that are not there, in one transaction; the others stay as they are."""
        async with self.engine.begin() as tx:
            for draft in drafts:
                if await self._locked(tx, draft.id) is None:
                    await self._insert(tx, draft, actor)

    async def delete(
        self,
        arm_id: str,
        actor: str,
        *,
        reconciled: Collection[str] = (),
        if_revision: int | None = None,
    ) -> Resource | None:
        """Delete a resource and all below it, in one transaction. A second call changes nothing.

        Those of the reconciled types are marked, and their steps take them down; records are gone
        at once. None if there is no such resource, or not in that revision.
        """
        now = self.clock()
        async with self.engine.begin() as tx:
            found = await self._locked(tx, arm_id)
            if found is None or if_revision not in (None, found.revision):
                return None
            it_and_below = sa.or_(ROW.uid == found.uid, sa.and_(*anywhere_below(arm_id)))
            marked = sa.and_(ROW.resource_type.in_(reconciled), it_and_below)
            leaving = {"deleting": True, "due_at": now, "error": None}
            leaving |= {"modified_at": now, "modified_by": actor}
            change = sa.update(resources).where(marked, ~ROW.deleting)
            await tx.execute(change.values(**leaving, **_RAISED))
            records = sa.update(resources).where(it_and_below, ROW.resource_type.not_in(reconciled))
            await tx.execute(records.values(**entombed(now)))
            left = sa.select(*COLUMNS).where(ROW.uid == found.uid)
            return from_row((await tx.execute(left)).one())

    async def unfinished(self, parent: str, resource_type: str) -> list[Resource]:
        """Those right under a parent that have not reached their present state, oldest first."""
        unreached = ROW.observed_generation < ROW.generation
        return await self._select(*right_under(parent, resource_type), unreached)

    async def release_leases(self) -> None:
        """Free what dead workers held: by the only control plane, before its workers start."""
        free = {"lease_token": None, "lease_until": None}
        async with self.engine.begin() as tx:
            held = ROW.lease_token.is_not(None)
            await tx.execute(sa.update(resources).where(held).values(free))

    async def bury(self) -> None:
        """Drop the tombstones of more than a day. Safe to repeat."""
        async with self.engine.begin() as tx:
            await tx.execute(sa.delete(resources).where(ROW.gone_at < self.clock() - KEPT))

    async def touch(self, arm_id: str) -> None:
        """Make a resource due now: something that its reconcile step looks at has changed."""
        change = sa.update(resources).where(ROW.key == fold(arm_id), ROW.gone_at.is_(None))
        async with self.engine.begin() as tx:
            await tx.execute(change.values(due_at=self.clock()))

    async def reseal(self, arm_id: str, change: Callable[[Json], Json]) -> Resource:
        """Replace secrets of a resource; those that change() does not give stay.

        change: from the secrets that are there, alone with them. Raises ArmError 404.
        """
        async with self.engine.begin() as tx:
            found = await self._locked(tx, arm_id)
            if found is None:
                raise ArmError("ResourceNotFound", f"{arm_id!r} is gone.", 404)
            secrets = {**found.secrets, **change(found.secrets)}
            held = sa.update(resources).where(ROW.uid == found.uid).values(secrets=secrets)
            return from_row((await tx.execute(held.returning(*COLUMNS))).one())

    async def _select(
        self,
        *conditions: Condition,
        order: Order = OLDEST_FIRST,
        most: int | None = None,
        offset: int = 0,
    ) -> list[Resource]:
        query = sa.select(*COLUMNS).where(*conditions).order_by(*order.clauses()).limit(most)
        async with self._reader.connect() as connection:
            rows = await connection.execute(query.offset(offset) if offset else query)
            return [from_row(row) for row in rows]

    async def _locked(self, tx: AsyncConnection, arm_id: str) -> Resource | None:
        query = sa.select(*COLUMNS).where(ROW.key == fold(arm_id)).with_for_update()
        row = (await tx.execute(query)).one_or_none()
        return None if row is None else from_row(row)

    async def _insert(self, tx: AsyncConnection, draft: Draft, actor: str) -> Resource:
        """A new row. Roles at an earlier resource of that id are not roles at this one."""
        now = self.clock()
        if draft.under:
            _check_parent(draft, await self._locked(tx, draft.under))
        stale = role_assignments.c.scope_key == fold(draft.id)
        await tx.execute(sa.delete(role_assignments).where(stale))
        values = {
            "uid": uuid.uuid4().hex,
            "resource_type": draft.resource_type,
            "id": draft.id,
            "key": fold(draft.id),
            "parent": fold(parent_of(draft.id)),
            "name": fold(name_of(draft.id)),
            "number": as_number(name_of(draft.id)),
            "envelope": draft.envelope,
            "properties": draft.properties,
            "secrets": draft.secrets,
            "generation": 1,
            "observed": {},
            "observed_generation": 0 if draft.reconciled else 1,
            "due_at": now if draft.reconciled else None,
            "settled_at": None if draft.reconciled else now,
            "created_at": now,
            "created_by": actor,
            "modified_at": now,
            "modified_by": actor,
        }
        try:
            done = await tx.execute(sa.insert(resources).values(values).returning(*COLUMNS))
        except sa.exc.IntegrityError as error:  # only one-of-a-kind names can clash: see schema.py
            raise ArmError(
                "Conflict", f"The name {name_of(draft.id)!r} was just taken.", 409
            ) from error
        return from_row(done.one())

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
        if draft.reconciled:
            change |= {"due_at": now, "settled_at": None}
        else:
            change |= {"observed_generation": generation, "settled_at": now}
        return await self._write(tx, found, change)

    async def _write(self, tx: AsyncConnection, found: Resource, change: Json) -> Resource:
        values = {"revision": found.revision + 1, **change}
        statement = sa.update(resources).where(ROW.uid == found.uid).values(values)
        return from_row((await tx.execute(statement.returning(*COLUMNS))).one())


def _check_parent(draft: Draft, parent: Resource | None) -> None:
    """Raises ArmError 409 unless it is there to stay."""
    if parent is None or parent.deleting:
        message = f"{draft.under!r} is being deleted or is gone: {draft.id!r} cannot be in it."
        raise ArmError("Conflict", message, 409)


COLUMNS = tuple(ROW[name] for name in Resource._fields)
_RAISED = {"generation": ROW.generation + 1, "revision": ROW.revision + 1}


def entombed(now: datetime) -> Json:
    """What makes rows tombstones: their ids are free again, their operations still answer."""
    reached = ROW.generation + sa.case((ROW.deleting, 0), else_=1)
    return {
        "key": ROW.key + "#" + ROW.uid,
        "gone_at": now,
        "settled_at": now,
        "deleting": True,
        "due_at": None,
        "secrets": {},
        "observed_generation": reached,
        "generation": reached,
        "revision": ROW.revision + 1,
        "lease_token": None,
        "lease_until": None,
    }


def from_row(row: Sequence[Any]) -> Resource:
    """A value of a row of COLUMNS."""
    return Resource._make(row)
