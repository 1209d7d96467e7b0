"""workspaces/schedules: jobs that start at times. Monitors of models are kept and do nothing.

Source: spec/REST.md 7.8.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from lazulite.arm.kind import Kind, Properties, Proposal
from lazulite.arm.listing import Listing, view_of
from lazulite.arm.times import Moment, WeekDay, Zone
from lazulite.runs.cron import Cron
from lazulite.runs.scheduling import SINCE, Scheduling, switched
from lazulite.store.resources import Json, Resource

LISTING = Listing(
    view=view_of("isEnabled", true="EnabledOnly", others="DisabledOnly", usual="EnabledOnly")
)
OURS = "lazulite."
"""What the keys in properties.properties begin with that only the server writes."""
KEPT_ONLY = "This server keeps monitors and does not start them: nothing runs at their times."


def _is_cron(text: str) -> str:
    Cron.parse(text)
    return text


Number = Annotated[int, Field(ge=1)]


class Trigger(Properties):
    """What all triggers have."""

    start_time: Moment | None = None
    end_time: Moment | None = None
    time_zone: Zone = "UTC"

    @model_validator(mode="after")
    def _ends_later(self) -> Trigger:
        if self.start_time and self.end_time and _naive(self.end_time) <= _naive(self.start_time):
            raise ValueError(f"endTime {self.end_time!r} is not after {self.start_time!r}")
        return self


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


class CronTrigger(Trigger):
    """By a cron expression."""

    trigger_type: Literal["Cron"]
    expression: Annotated[str, AfterValidator(_is_cron)]


class Times(Properties):
    """On which days and at which times of them."""

    hours: list[Annotated[int, Field(ge=0, le=23)]]
    minutes: list[Annotated[int, Field(ge=0, le=59)]]
    month_days: list[Annotated[int, Field(ge=1, le=31)]] | None = None
    week_days: list[WeekDay] | None = None


class Recurrence(Trigger):
    """Every so often."""

    trigger_type: Literal["Recurrence"]
    frequency: Literal["Minute", "Hour", "Day", "Week", "Month"]
    interval: Number
    schedule: Times | None = None


class CreateJob(Properties):
    """Submit a job; its definition is kept as it is given."""

    action_type: Literal["CreateJob"]
    job_definition: dict[str, Any]


class InvokeBatchEndpoint(Properties):
    """Start a batch job."""

    action_type: Literal["InvokeBatchEndpoint"]
    endpoint_invocation_definition: dict[str, Any]


class CreateMonitor(Properties):
    """Watch a model."""

    action_type: Literal["CreateMonitor"]
    monitor_definition: dict[str, Any]


class Schedule(Properties):
    """What to do, and when."""

    action: Annotated[
        CreateJob | InvokeBatchEndpoint | CreateMonitor, Field(discriminator="action_type")
    ]
    trigger: Annotated[CronTrigger | Recurrence, Field(discriminator="trigger_type")]
    display_name: str | None = None
    is_enabled: bool = True
    description: str | None = None
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Schedules:
    """Checks schedules, and tells what became of them."""

    scheduling: Scheduling
    check: Callable[[Json], None]
    """Raises ArmError for an action that could never start anything."""

    async def prepare(self, proposal: Proposal) -> Proposal:
        """Note since when its times count. Raises ArmError."""
        properties = proposal.properties
        self.check(properties["action"])
        own = {
            name: value
            for name, value in properties["properties"].items()
            if not name.startswith(OURS)
        }
        since = switched(proposal.existing, properties, self.scheduling.clock())
        return dataclasses.replace(
            proposal,
            properties={**properties, "properties": own},
            envelope={**proposal.envelope, SINCE: since},
        )

    async def show(self, found: Resource, base: str) -> Json:
        """With what was started last, what comes next, and what went wrong."""
        return {"properties": {**found.properties["properties"], **_told(found)}}


def schedule(schedules: Schedules) -> Kind:
    """A schedule; properties.properties says what became of it."""
    return Kind(
        resource_type="workspaces/schedules",
        properties=Schedule,
        prepare=schedules.prepare,
        show=schedules.show,
        reconcile=schedules.scheduling.reconcile,
        since="2022-06-01",
        listing=LISTING,
    )


def _told(found: Resource) -> Json:
    if found.properties["action"]["actionType"] == "CreateMonitor":
        return {f"{OURS}note": KEPT_ONLY}
    observed = found.observed
    told = {
        "lastTime": observed.get("last"),
        "lastRun": observed.get("lastRun"),
        "lastError": observed.get("error"),
        "nextTime": observed.get("next") if found.properties["isEnabled"] else None,
        "skipped": str(observed.get("skipped") or "") or None,
    }
    return {f"{OURS}{name}": value for name, value in told.items() if value is not None}
