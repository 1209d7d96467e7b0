"""Schedules, carried out: a job at each of their times, once, whatever dies in between.

The name of a job says which time it is of, so that a repeated start finds the job there. Of times
that were missed (the server was down) the latest of the last day is made up for, late. What is
started is started as who wrote the schedule last, and only if they may.
Source: spec/REST.md 7.8.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from lazulite.arm.envelope import timestamp
from lazulite.core.clock import Clock
from lazulite.core.errors import ArmError, LazuliteError, OutageError, SpecError
from lazulite.operations.reconciler import Step
from lazulite.runs.schedule_times import next_time
from lazulite.store.resources import Json, Resource

MISSED = timedelta(days=1)
SINCE = "firesSince"
"""The key in a schedule's envelope: when its trigger was written or it was switched on."""
LONGEST_WAIT = timedelta(days=1)

Start = Callable[[Resource, Json, str], Awaitable[str]]
"""Starts what an action says under a name; the id of the job. A second call changes nothing.

Raises ArmError or SpecError for what a person has to mend.
"""


@dataclasses.dataclass(frozen=True)
class Scheduling:
    """Reconciles schedules. starts: by the type of action."""

    starts: Mapping[str, Start]
    clock: Clock

    async def reconcile(self, schedule: Resource) -> Step:
        """Start what is due, and come back when the next is."""
        properties = schedule.properties
        start = self.starts.get(properties["action"]["actionType"])
        if schedule.deleting or not properties["isEnabled"] or start is None:
            return Step(observed=schedule.observed, converged=True)
        now = self.clock()
        due, following, skipped = _due(schedule, now)
        observed = schedule.observed
        if due is not None:
            observed = {**observed, **await _started(schedule, start, due)}
            observed["skipped"] = int(observed.get("skipped", 0)) + skipped
        observed = {**observed, "next": following and timestamp(following)}
        wait = min(max(following - now, timedelta(0)), LONGEST_WAIT) if following else None
        return Step(observed=observed, converged=True, after=wait)


def switched(schedule: Resource | None, properties: Json, now: datetime) -> str:
    """Since when its times count: since now, unless the trigger is as it was and was on."""
    if schedule is not None and SINCE in schedule.envelope:
        before = schedule.properties
        if before["isEnabled"] and before["trigger"] == properties["trigger"]:
            return str(schedule.envelope[SINCE])
    return now.astimezone(UTC).isoformat()


def _due(schedule: Resource, now: datetime) -> tuple[datetime | None, datetime | None, int]:
    """The latest time that is due, the first that is not, and how many are left out."""
    since = datetime.fromisoformat(schedule.envelope[SINCE])
    last = schedule.observed.get("last")
    done = datetime.fromisoformat(last) if last else since - timedelta(microseconds=1)
    after = max(done, since - timedelta(microseconds=1), now - MISSED)
    due, passed = None, 0
    while (found := next_time(schedule.properties["trigger"], since, after)) and found <= now:
        due, after, passed = found, found, passed + 1
    return due, found, max(0, passed - 1)


async def _started(schedule: Resource, start: Start, due: datetime) -> Json:
    """What is to be noted of a time that has come."""
    name = f"{schedule.name}-{due:%Y%m%dT%H%M%SZ}"
    noted = {"last": due.isoformat(), "error": None}
    try:
        return {**noted, "lastRun": await start(schedule, schedule.properties["action"], name)}
    except OutageError:
        raise  # the same time again, with back-off
    except (ArmError, SpecError) as error:
        return {**noted, "error": f"{name}: {error.code}: {error.message}"}
    except LazuliteError as error:
        return {**noted, "error": f"{name}: {error}"}
