"""Time as an argument: tests move it by passing another clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)
