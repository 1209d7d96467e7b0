"""ISO 8601 durations, as Azure writes timeouts: "PT30S", "PT2M", "P1DT12H"."""

from __future__ import annotations

import re
from datetime import timedelta

from lazulite.core.errors import ArmError

FORM = re.compile(
    r"P(?!$)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?!$)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse_duration(text: str, target: str = "") -> timedelta:
    """The duration that the text says. Raises ArmError naming the target."""
    found = FORM.fullmatch(text.strip().upper())
    if found is None:
        message = f"{text!r} is no ISO 8601 duration: write 30 seconds as PT30S, 2 minutes as PT2M."
        raise ArmError("ValidationError", message, target=target or None)
    try:
        return timedelta(**{unit: float(value) for unit, value in found.groupdict("0").items()})
    except OverflowError as error:
        message = f"{text[:40]!r} is too long for a duration: at most P999999999D."
        raise ArmError("ValidationError", message, target=target or None) from error


def format_duration(duration: timedelta) -> str:
    """The shortest of the forms that Azure's clients read."""
    seconds = duration.total_seconds()
    if seconds and seconds % 60 == 0 and seconds < 3600:
        return f"PT{int(seconds // 60)}M"
    return f"PT{seconds:g}S"
