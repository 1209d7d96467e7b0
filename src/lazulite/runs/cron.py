"""Cron expressions of five fields: minute, hour, day of month, month, day of week.

A day has to match all three of its fields, as in NCrontab, which Azure uses. Names of months and
days count as numbers; Sunday is 0.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import date, time

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Sequence[tuple[str, range, tuple[str, ...]]] = (
    ("minute", range(60), ()),
    ("hour", range(24), ()),
    ("day of month", range(1, 32), ()),
    ("month", range(1, 13), _MONTHS),
    ("day of week", range(7), _DAYS),
)
"""What each field is, its numbers, and the names of those."""
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d*))?")


@dataclasses.dataclass(frozen=True)
class Cron:
    """The numbers that each field allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression. Raises ValueError that names the field and its rule."""
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise ValueError("a cron expression has five fields: minute hour day month weekday")
        return cls(*(_numbers(text, *known) for text, known in zip(fields, _FIELDS, strict=True)))

    def is_on(self, day: date) -> bool:
        """Whether it fires on that day at all."""
        weekday = day.isoweekday() % 7
        return day.day in self.days and day.month in self.months and weekday in self.weekdays

    def times(self) -> list[time]:
        """When on such a day, the earliest first."""
        minutes = sorted(self.minutes)
        return [time(hour, minute) for hour in sorted(self.hours) for minute in minutes]


def _numbers(field: str, what: str, numbers: range, names: tuple[str, ...]) -> frozenset[int]:
    found = [_part(part, numbers, names) for part in field.split(",")]
    if None in found:
        raise ValueError(f"{field!r} is no {what}: {numbers[0]} to {numbers[-1]}, or *")
    return frozenset(number for part in found for number in part or ())


def _part(part: str, numbers: range, names: tuple[str, ...]) -> range | None:
    """The numbers of one part: *, 5, 5-9, each with a step behind /; None if it is none."""
    match = _PART.fullmatch(part)
    if match is None:
        return None
    step = int(match[3] or 1)
    if match[1] is None:
        return numbers[::step]
    first = _number(match[1], numbers, names)
    last = _number(match[2] or match[1], numbers, names)
    if match[2] is None and match[3]:
        last = numbers[-1]  # 5/15 begins at 5
    if first not in numbers or last not in numbers or first > last:
        return None
    return range(first, last + 1, step)


def _number(word: str, numbers: range, names: tuple[str, ...]) -> int:
    """What a word means; -1 if nothing."""
    if word.upper() in names:
        return numbers[names.index(word.upper())]
    return int(word) if word.isdecimal() else -1
