"""The words in which az says when to scale and how: "CpuUtilizationPercentage > 70 avg 5m"."""

from __future__ import annotations

import re
from typing import Any

from lazulite.cli.errors import CommandError

OPERATORS = {
    "==": "Equals",
    "!=": "NotEquals",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqual",
    "<": "LessThan",
    "<=": "LessThanOrEqual",
}
AGGREGATIONS = {
    "avg": "Average",
    "min": "Minimum",
    "max": "Maximum",
    "total": "Total",
    "count": "Count",
}
STATISTICS = {"avg": "Average", "min": "Min", "max": "Max", "sum": "Sum", "count": "Count"}
_PERIOD = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.IGNORECASE)
_CONDITION = re.compile(
    r"(?:(?P<namespace>[\w./]+/[\w./]+)[ .])?(?P<metric>\w+)\s*(?P<operator>[=!<>]=|[<>])\s*"
    r"(?P<threshold>-?\d+(?:\.\d+)?)\s+(?P<aggregation>\w+)\s+(?P<period>\w+)(?P<rest>\s.*)?"
)


def condition(text: str) -> dict[str, Any]:
    """The fields of a metricTrigger. Raises CommandError naming what is wrong."""
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise _usage("--condition", text, "'METRIC > THRESHOLD avg PERIOD', as in 'x > 70 avg 5m'")
    if (found["rest"] or "").strip():
        rest = found["rest"].strip()
        raise _usage("--condition", rest, "left out: metrics are not split by dimensions here")
    aggregation = found["aggregation"].lower()
    if aggregation not in AGGREGATIONS:
        raise _usage("--condition", found["aggregation"], f"one of {', '.join(AGGREGATIONS)}")
    return {
        "metricName": found["metric"],
        "metricNamespace": found["namespace"],
        "operator": OPERATORS[found["operator"]],
        "threshold": float(found["threshold"]),
        "timeAggregation": AGGREGATIONS[aggregation],
        "timeWindow": period(found["period"]),
    }


def scale_action(words: tuple[str, ...], cooldown: int) -> dict[str, Any]:
    """The scaleAction of --scale {in,out,to} COUNT[%]. cooldown: minutes."""
    if len(words) != 2 or words[0].lower() not in {"in", "out", "to"}:
        raise _usage("--scale", " ".join(words), "out, in or to, and a number, as in 'out 2'")
    direction, amount = words[0].lower(), words[1]
    percent = amount.endswith("%")
    if not amount.rstrip("%").isdecimal() or (percent and direction == "to"):
        raise _usage("--scale", " ".join(words), "'out 2', 'in 50%' or 'to 3'")
    kinds = {"to": "ExactCount"}
    return {
        "direction": "Decrease" if direction == "in" else "Increase",
        "type": kinds.get(direction, "PercentChangeCount" if percent else "ChangeCount"),
        "value": amount.rstrip("%"),
        "cooldown": f"PT{cooldown}M",
    }


def time_grain(words: tuple[str, ...]) -> dict[str, Any]:
    """Statistic and grain of --timegrain [avg] 1m."""
    given = (*words,) if len(words) == 2 else ("avg", *words)
    if len(given) != 2 or given[0].lower() not in STATISTICS:
        raise _usage("--timegrain", " ".join(words), f"one of {', '.join(STATISTICS)}, and a time")
    return {"statistic": STATISTICS[given[0].lower()], "timeGrain": period(given[1])}


def period(text: str) -> str:
    """An ISO 8601 duration for 1d2h3m4s."""
    found = _PERIOD.fullmatch(text)
    if found is None or not any(found.groups()):
        raise _usage("a time", text, "like 5m, 1h30m or 45s")
    days, hours, minutes, seconds = found.groups()
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    return f"P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


def _usage(what: str, given: str, wanted: str) -> CommandError:
    return CommandError("InvalidArgument", f"{what} is {given!r}: it must be {wanted}.")
