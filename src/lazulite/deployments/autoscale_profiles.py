"""Which profile of an autoscale setting holds now.

A profile of a fixed date comes first; then, of those that recur, the one that began last: it holds
until another one begins. Otherwise one without a schedule. Source: Azure documentation, "Autoscale
with multiple profiles".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lazulite.arm.times import WEEK
from lazulite.core.time_zones import zone_of
from lazulite.deployments.autoscale_properties import FixedDate, Profile, RecurrentSchedule


def active_profile(profiles: Sequence[Profile], now: datetime) -> Profile:
    """The one that holds; the first if none says so."""
    for profile in profiles:
        if profile.fixed_date is not None and _holds(profile.fixed_date, now):
            return profile
    begun = [(_began(each, now), each) for each in profiles if each.recurrence is not None]
    latest = max((found for found, _ in begun if found is not None), default=None)
    if latest is not None:
        return next(each for found, each in begun if found == latest)
    always = [each for each in profiles if each.fixed_date is None and each.recurrence is None]
    return (always or list(profiles))[0]


def _holds(date: FixedDate, now: datetime) -> bool:
    start, end = (_moment(text, date.time_zone) for text in (date.start, date.end))
    return start <= now < end


def _moment(text: str, zone: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone_of(zone))


def _began(profile: Profile, now: datetime) -> datetime | None:
    """When it began last."""
    assert profile.recurrence is not None  # noqa: S101 - the caller has looked
    past = [found for found in _beginnings(profile.recurrence.schedule, now) if found <= now]
    return max(past, default=None)


def _beginnings(schedule: RecurrentSchedule, now: datetime) -> Iterator[datetime]:
    """Those of the last week, and of today."""
    here = now.astimezone(zone_of(schedule.time_zone))
    for back in range(8):
        day = here - timedelta(days=back)
        if WEEK[day.weekday()] in schedule.days:
            for hour in schedule.hours:
                for minute in schedule.minutes:
                    yield day.replace(hour=hour, minute=minute, second=0, microsecond=0)
