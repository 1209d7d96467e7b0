"""Drive every resource from its desired to its observed state, one short step at a time.

A resource is due, leased or idle: one column each. A step never waits for work: it ensures,
observes, returns. Crash safety has two halves: the lease token (a late write is refused) and
side effects named by uid and generation (a repeated start adopts what runs).
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from lazulite.core.errors import LazuliteError, OutageError
from lazulite.store.database import reading
from lazulite.store.pages import ROW
from lazulite.store.resources import COLUMNS, Resource, entombed, from_row
from lazulite.store.schema import resources

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
STEP_LIMIT = LEASE / 2
LONGEST_DELAY = timedelta(minutes=5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What one reconcile call saw."""

    observed: dict[str, Any]
    converged: bool
    """Whether the desired state is reached. Of a deletion: nothing is left, the row may go."""
    after: timedelta | None = None
    """When to look again; None once nothing needs watching."""
    error: dict[str, Any] | None = None
    """Why the desired state will not be reached, while what was there before is watched on."""


Reconcile = Callable[[Resource], Awaitable[Step]]


async def step(engine: AsyncEngine, kinds: Mapping[str, Reconcile], now: datetime) -> bool:
    """Advance one due resource by one call; False when none is due. Safe to kill at any line.

    An error meant for a person fails the resource until its next PUT. Anything else is ours: it is
    logged and tried again with back-off, and does not fail the resource.
    """
    if (held := await claim(engine, now)) is None:
        return False
    try:
        async with asyncio.timeout(STEP_LIMIT.total_seconds()):  # so no lease needs a heartbeat
            seen = await kinds[held.resource_type](held)
    except Exception as error:  # the worker loop: an outage or a bug heals by trying again
        if isinstance(error, LazuliteError) and not isinstance(error, OutageError):
            failed = {"error": error.body, **_settled(held, now)}
            await settle(engine, held, None, **failed)
        else:
            log.exception("reconcile failed", extra={"resource": held.id})
            await settle(engine, held, now + delay(held.attempts), attempts=held.attempts + 1)
    else:
        await _record(engine, held, seen, now)
    return True


def delay(attempts: int) -> timedelta:
    """How long to wait after so many failures in a row: 1, 2, 4 s and so on up to 5 minutes."""
    return min(timedelta(seconds=2 ** min(attempts, 16)), LONGEST_DELAY)


async def claim(engine: AsyncEngine, now: datetime) -> Resource | None:
    """Lease the most overdue resource. An expired lease means its worker died: take it over."""
    free = sa.or_(ROW.lease_until.is_(None), ROW.lease_until <= now)
    due = sa.select(ROW.uid).where(ROW.due_at <= now, free).order_by(ROW.due_at).limit(1)
    one = ROW.uid == due.with_for_update(skip_locked=True).scalar_subquery()
    lease = {"lease_token": uuid.uuid4().hex, "lease_until": now + LEASE}
    statement = sa.update(resources).where(one).values(lease).returning(*COLUMNS)
    async with engine.begin() as tx:
        row = (await tx.execute(statement)).one_or_none()
        return None if row is None else from_row(row)


async def settle(
    engine: AsyncEngine, held: Resource, due_at: datetime | None, **seen: object
) -> bool:
    """Write what was seen and free the lease. False, and nothing written, if the lease was lost."""
    ours = sa.and_(ROW.uid == held.uid, ROW.lease_token == held.lease_token)
    # A PUT or a touch during the step set due_at itself: leave that be.
    undisturbed = sa.and_(
        ROW.generation == held.generation, ROW.due_at.is_not_distinct_from(held.due_at)
    )
    due = sa.case((undisturbed, sa.literal(due_at, ROW.due_at.type)), else_=ROW.due_at)
    freed = {"lease_token": None, "lease_until": None, "due_at": due}
    async with engine.begin() as tx:
        done = await tx.execute(sa.update(resources).where(ours).values(**freed, **seen))
        return done.rowcount == 1


async def next_due(engine: AsyncEngine) -> datetime | None:
    """When the next free resource is due; None if none is."""
    query = sa.select(sa.func.min(ROW.due_at)).where(ROW.lease_token.is_(None))
    async with engine.connect() as connection:
        due: datetime | None = (await connection.execute(query)).scalar()
        return due


async def _record(engine: AsyncEngine, held: Resource, seen: Step, now: datetime) -> None:
    """Write the outcome of a step that went well."""
    if held.deleting and seen.converged:
        await settle(engine, held, None, **_removal(now))
        return
    done: dict[str, Any] = {"observed": seen.observed, "attempts": 0, "error": seen.error}
    if seen.converged:
        done |= _settled(held, now)
    await settle(engine, held, None if seen.after is None else now + seen.after, **done)


def _settled(held: Resource, now: datetime) -> dict[str, Any]:
    """That the generation has come to its end; the time is that of the first step to say so."""
    is_new = held.observed_generation < held.generation
    return {
        "observed_generation": held.generation,
        "settled_at": now if is_new else held.settled_at,
    }


def _removal(now: datetime) -> dict[str, Any]:
    own = {"due_at", "lease_token", "lease_until"}  # what settling itself writes
    return {key: change for key, change in entombed(now).items() if key not in own}


class Reconciler:
    """The loop: a few workers that take due resources until told to stop."""

    def __init__(
        self, engine: AsyncEngine, kinds: Mapping[str, Reconcile], clock: Callable[[], datetime]
    ) -> None:
        """kinds: the reconcile step of each resource type."""
        self.engine, self.kinds, self.clock = engine, kinds, clock
        self._reader = reading(engine)
        self._woken = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Let the workers finish the steps that they are in; then run() returns.

        Cancelling run() instead would cut database calls short, whose threads then never end.
        """
        self._stopping = True
        self._woken.set()

    def wake(self) -> None:
        """Say that something may have become due."""
        self._woken.set()

    async def run(self, workers: int = 4) -> None:
        """Work until stopped."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while not self._stopping:
            try:
                if await step(self.engine, self.kinds, self.clock()):
                    self._woken.set()
                else:
                    await self._rest()
            except Exception:  # the worker loop: a busy or full database heals
                log.exception("a reconcile step could not be taken or settled")
                await asyncio.sleep(1)

    async def _rest(self) -> None:
        """Sleep until something is due, at most a second: another process may write too."""
        if not self._stopping:
            self._woken.clear()
        due = await next_due(self._reader)
        pause = 1.0 if due is None else (due - self.clock()).total_seconds()
        try:
            async with asyncio.timeout(min(max(pause, 0.01), 1.0)):
                await self._woken.wait()
        except TimeoutError:
            return
