"""Values of metrics out of the store, by interval and by dimension."""

from __future__ import annotations

import collections
import dataclasses
import json
from collections.abc import Iterable, Sequence

from lazulite.core.ids import fold
from lazulite.telemetry.dimension_filter import DimensionFilter
from lazulite.telemetry.metrics import Metric
from lazulite.telemetry.readers import Reader
from lazulite.telemetry.spans import Span

Shown = tuple[tuple[str, str], ...]
"""Dimensions that the answer is split by, and their values."""


@dataclasses.dataclass
class Value:
    """What all samples of an interval come to."""

    count: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")

    def add(self, count: float, total: float, minimum: float, maximum: float) -> None:
        """Take in more samples."""
        self.count += count
        self.total += total
        self.minimum, self.maximum = min(self.minimum, minimum), max(self.maximum, maximum)

    def of(self, aggregation: str) -> float:
        """Average, Minimum, Maximum, Total or Count."""
        if aggregation == "Average":
            return self.total / self.count if self.count else 0.0
        return float(getattr(self, aggregation.lower()))


@dataclasses.dataclass(frozen=True)
class Asked:
    """Which values: of a resource's metric in a span, an interval each."""

    resource: str
    metric: Metric
    span: Span
    interval: int
    """Milliseconds."""
    where: DimensionFilter = dataclasses.field(default_factory=DimensionFilter)


def read_series(reader: Reader, asked: Asked) -> dict[Shown, dict[int, Value]]:
    """By the dimensions that the filter shows, then by the interval's beginning. Blocks."""
    rows = reader.read(
        "SELECT at, dimensions, count, total, minimum, maximum FROM metrics "
        "WHERE resource = ? AND metric = ? AND at >= ? AND at < ?",
        (fold(asked.resource), asked.metric.name, *asked.span),
    )
    minutes: dict[Shown, dict[int, list[Sequence[float]]]] = collections.defaultdict(dict)
    for at, text, *numbers in rows:
        series = json.loads(text)
        if asked.where.holds(series):
            shown = tuple((name, str(series.get(name, ""))) for name in asked.where.shown)
            minutes[shown].setdefault(at, []).append(numbers)
    return {shown: _intervals(asked, found) for shown, found in minutes.items()}


def _intervals(asked: Asked, minutes: dict[int, list[Sequence[float]]]) -> dict[int, Value]:
    start = asked.span[0]
    values: dict[int, Value] = collections.defaultdict(Value)
    for at, found in minutes.items():
        value = values[at - (at - start) % asked.interval]
        for numbers in [_summed(found)] if asked.metric.is_sum else found:
            value.add(*numbers)
    return dict(sorted(values.items()))


def _summed(found: Iterable[Sequence[float]]) -> tuple[float, float, float, float]:
    """Series that add up: the minute's value is the sum of theirs.

    A row of more than one sample is an hour of them, or a gauge that is looked at several times.
    """
    rows = list(found)
    count = max(row[0] for row in rows)
    value = sum(row[1] for row in rows) / count  # a series without a sample there counts as 0
    if len(rows) == 1:
        return count, value * count, rows[0][2], rows[0][3]
    return count, value * count, value, max(value, *(row[3] for row in rows))
