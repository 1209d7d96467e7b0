"""When a schedule's trigger fires. Times are of its zone; what comes out is UTC.

A trigger without a start begins when it was written: one that repeats without a pattern fires at
once then. Wall clocks that are put forward move a time that they skip to an hour later, and those
that are put back fire once. Source: spec/REST.md 7.8 and the pages on schedules of
learn.microsoft.com.
"""

from __future__ import annotations

import calendar
import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from lazulite.core.time_zones import zone_of
from lazulite.runs.cron import Cron
from lazulite.store.resources import Json

FARTHEST_DAYS = 366 * 9
"""No 29 February is farther away."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PERIODS = {
    "Minute": timedelta(minutes=1),
    "Hour": timedelta(hours=1),
    "Day": timedelta(days=1),
    "Week": timedelta(weeks=1),
}


def next_time(trigger: Json, since: datetime, after: datetime) -> datetime | None:
    """The first time later than `after`; None if there is none any more.

    since: when the trigger was written; both aware. Raises ValueError for an unknown zone.
    """
    zone = zone_of(trigger["timeZone"])
    start = moment_of(trigger["startTime"], zone) or since
    end = moment_of(trigger["endTime"], zone)
    times = _Times(trigger, start.astimezone(zone))
    for found in times.later_than(max(after, start - timedelta(microseconds=1))):
        return found if end is None or found <= end else None
    return None


def moment_of(text: str | None, zone: Any) -> datetime | None:
    """A time of a trigger, in UTC; one without an offset is a time in its zone."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


@dataclasses.dataclass(frozen=True)
class _Times:
    """The times of one trigger. start: in its zone."""

    trigger: Json
    start: datetime

    def later_than(self, after: datetime) -> Iterator[datetime]:
        """All of them, as they come."""
        pattern = self.trigger.get("schedule")
        frequency = self.trigger.get("frequency")
        if self.trigger["triggerType"] == "Cron":
            cron = Cron.parse(self.trigger["expression"])
            yield from self._by_day(after, cron.is_on, cron.times())
        elif pattern and frequency in {"Day", "Week", "Month"}:
            hours, minutes = sorted(set(pattern["hours"])), sorted(set(pattern["minutes"]))
            times = [time(hour, minute) for hour in hours for minute in minutes]
            yield from self._by_day(after, lambda day: self._is_on(day, pattern), times)
        else:
            yield from self._repeated(after)

    def _by_day(
        self, after: datetime, is_on: Callable[[date], bool], times: list[time]
    ) -> Iterator[datetime]:
        first = after.astimezone(self.start.tzinfo).date()
        for ahead in range(FARTHEST_DAYS):
            day = first + timedelta(days=ahead)
            for moment in times if is_on(day) else ():
                found = datetime.combine(day, moment, self.start.tzinfo).astimezone(UTC)
                if found > after:
                    yield found

    def _is_on(self, day: date, pattern: Json) -> bool:
        """Whether a pattern of days, weeks or months fires on that day."""
        begin, every = self.start.date(), int(self.trigger["interval"])
        days: list[int] = pattern.get("monthDays") or []
        weekdays: list[str] = pattern.get("weekDays") or []
        if self.trigger["frequency"] == "Day":
            return (day - begin).days % every == 0
        if self.trigger["frequency"] == "Week":
            monday = begin - timedelta(days=begin.weekday())
            wanted = weekdays or [_DAYS[begin.weekday()]]
            return (day - monday).days // 7 % every == 0 and _DAYS[day.weekday()] in wanted
        months = (day.year - begin.year) * 12 + day.month - begin.month
        if months % every:
            return False
        if weekdays and not days:
            return _DAYS[day.weekday()] in weekdays
        return day.day in (days or [begin.day])

    def _repeated(self, after: datetime) -> Iterator[datetime]:
        """Every so often since the start: minutes and hours by the sun, the rest by the wall."""
        every, frequency = self.trigger["interval"], self.trigger["frequency"]
        count = max(0, self._passed(after) - 1)
        while True:
            if frequency in {"Minute", "Hour"}:
                found = self.start.astimezone(UTC) + count * every * _PERIODS[frequency]
            elif frequency == "Month":
                found = _months_later(self.start, count * every).astimezone(UTC)
            else:
                found = (self.start + count * every * _PERIODS[frequency]).astimezone(UTC)
            if found > after:
                yield found
            count += 1

    def _passed(self, after: datetime) -> int:
        """About how many of them have passed, not more."""
        every, frequency = self.trigger["interval"], self.trigger["frequency"]
        period = _PERIODS.get(frequency) or timedelta(days=31)
        return max(0, int((after - self.start) / (period * every)))


def _months_later(start: datetime, months: int) -> datetime:
    """The same day so many months later; the last day of a month that does not have it."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)
