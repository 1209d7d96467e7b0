"""workspaces/schedules: records of what is to be done when. None of them is carried out yet.

Source: spec/REST.md 7.8.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from lazulite.arm.kind import Kind, Properties, Proposal
from lazulite.arm.listing import Listing, view_of
from lazulite.store.resources import Json, Resource

LISTING = Listing(
    view=view_of("isEnabled", true="EnabledOnly", others="DisabledOnly", usual="EnabledOnly")
)
NOTE = "lazulite.note"
"""The key of properties.properties that says so."""
KEPT_ONLY = "This server keeps schedules and does not start them: nothing runs at their times."
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
CRON = (
    ("minute", range(60), ()),
    ("hour", range(24), ()),
    ("day of month", range(1, 32), ()),
    ("month", range(1, 13), MONTHS),
    ("day of week", range(7), DAYS),
)
"""The fields of an expression: what each is, its numbers, and the names of those."""
PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d*))?")


def _is_cron(text: str) -> str:
    fields = text.split()
    if len(fields) != len(CRON):
        raise ValueError("a cron expression has five fields: minute hour day month weekday")
    for field, (what, numbers, names) in zip(fields, CRON, strict=True):
        if not all(_is_part(part, numbers, names) for part in field.split(",")):
            raise ValueError(f"{field!r} is no {what}: {numbers[0]} to {numbers[-1]}, or *")
    return text


def _is_part(part: str, numbers: range, names: tuple[str, ...]) -> bool:
    found = PART.fullmatch(part)
    if found is None:
        return False
    first, last = (_number(word, numbers, names) for word in found.groups()[:2])
    known = all(number in numbers for number in (first, last) if number is not None)
    return known and (first is None or last is None or first <= last)


def _number(word: str | None, numbers: range, names: tuple[str, ...]) -> int | None:
    """What a word means; -1 if nothing."""
    if word is None:
        return None
    if word.upper() in names:
        return numbers[names.index(word.upper())]
    return int(word) if word.isdecimal() else -1


def _is_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Moment = Annotated[str, AfterValidator(_is_moment)]
"""ISO 8601, without a UTC offset: it is a time in the trigger's zone."""
Number = Annotated[int, Field(ge=1)]
WeekDay = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


class Trigger(Properties):
    """What all triggers have. time_zone: by its Windows name."""

    start_time: Moment | None = None
    end_time: Moment | None = None
    time_zone: str = "UTC"

    @model_validator(mode="after")
    def _ends_later(self) -> Trigger:
        if self.start_time and self.end_time and _naive(self.end_time) <= _naive(self.start_time):
            raise ValueError(f"endTime {self.end_time!r} is not after {self.start_time!r}")
        return self


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


class Cron(Trigger):
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
    trigger: Annotated[Cron | Recurrence, Field(discriminator="trigger_type")]
    display_name: str | None = None
    is_enabled: bool = True
    description: str | None = None
    tags: dict[str, str | None] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)


def schedule() -> Kind:
    """A record; properties.properties says that nothing comes of it."""
    return Kind(
        resource_type="workspaces/schedules",
        properties=Schedule,
        prepare=_without_note,
        show=_with_note,
        since="2022-06-01",
        listing=LISTING,
    )


async def _without_note(proposal: Proposal) -> Proposal:
    """A caller who writes back what was shown does not write the note."""
    own = {name: v for name, v in proposal.properties["properties"].items() if name != NOTE}
    return dataclasses.replace(proposal, properties={**proposal.properties, "properties": own})


async def _with_note(found: Resource, base: str) -> Json:
    return {"properties": {**found.properties["properties"], NOTE: KEPT_ONLY}}
