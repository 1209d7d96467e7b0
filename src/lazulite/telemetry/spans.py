"""Spans of time and lengths of intervals, as Azure Monitor's callers write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError
from lazulite.telemetry.metrics import MINUTE_MS

INTERVALS = ("PT1M", "PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "PT12H", "P1D")
SETTLED = timedelta(seconds=5)
"""So long after its end, a minute has all its requests."""
_LAST_YEAR = 9998
_FRACTION = re.compile(r"(\.\d{6})\d+")  # .NET writes seven digits

Span = tuple[int, int]
"""Milliseconds since 1970: from, and up to."""


def parse_span(text: str, now: datetime, default: timedelta) -> Span:
    """start/end, start/duration, duration/end, or a duration that ends now. Raises ArmError 400.

    text: "" for the default.
    """
    if not text:
        return milliseconds(now - default), milliseconds(now)
    try:
        start, end = _ends(text, now)
    except OverflowError as error:
        raise _beyond(text) from error
    if end.year > _LAST_YEAR:
        raise _beyond(text)
    if end <= start:
        message = f"The timespan {text[:60]!r} ends before it begins."
        raise ArmError("BadRequest", message, target="timespan")
    return milliseconds(start), milliseconds(end)


def _ends(text: str, now: datetime) -> tuple[datetime, datetime]:
    first, slash, last = text.partition("/")
    if not slash:
        return now - parse_duration(first, "timespan"), now
    if first[:1] in "Pp":
        end = parse_moment(last)
        return end - parse_duration(first, "timespan"), end
    start = parse_moment(first)
    is_length = last[:1] in "Pp"
    return start, start + parse_duration(last, "timespan") if is_length else parse_moment(last)


def _beyond(text: str) -> ArmError:
    message = f"{text[:60]!r} reaches beyond the years 1 to {_LAST_YEAR}: ask for less."
    return ArmError("BadRequest", message, target="timespan")


def parse_moment(text: str) -> datetime:
    """An ISO 8601 time; UTC if it does not say. Raises ArmError 400."""
    try:
        found = datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip()).replace(" ", "+"))
    except ValueError as error:
        message = f"{text[:60]!r} is no time: write it as 2026-01-31T12:00:00Z."
        raise ArmError("BadRequest", message, target="timespan") from error
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise _beyond(text) from error


def parse_interval(text: str) -> int:
    """The length in milliseconds. Raises ArmError 400 for one that Azure has not."""
    if text.upper() not in INTERVALS:
        message = f"The interval {text!r} is not one of {', '.join(INTERVALS)}."
        raise ArmError("BadRequest", message, target="interval")
    return int(parse_duration(text).total_seconds()) * 1000


def whole_minutes(span: Span) -> Span:
    """From the beginning of the first minute to the end of the last."""
    return span[0] - span[0] % MINUTE_MS, span[1] + -span[1] % MINUTE_MS


def settled_span(length: int, now: datetime) -> Span:
    """The last whole minutes that have all their requests. length: milliseconds."""
    end = milliseconds(now - SETTLED)
    end -= end % MINUTE_MS
    return end - max(MINUTE_MS, length), end


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp() * 1000)


def iso(at: int) -> str:
    """A moment as Azure writes it."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    if at % 1000:
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
