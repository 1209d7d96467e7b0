"""Times as callers write them in properties: moments, zones, days of the week."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from lazulite.core.time_zones import zone_of

WeekDay = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
WEEK: tuple[WeekDay, ...] = get_args(WeekDay)
"""By datetime.weekday()."""


def _is_zone(text: str) -> str:
    zone_of(text)
    return text


def _is_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Zone = Annotated[str, AfterValidator(_is_zone)]
"""By its Windows name, or by that of IANA."""
Moment = Annotated[str, AfterValidator(_is_moment)]
"""ISO 8601; without a UTC offset it is a time in the zone beside it."""
