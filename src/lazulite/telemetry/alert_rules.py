"""Whether the conditions of an alert rule are met: decided from what is kept, and nothing else."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping
from datetime import datetime

from lazulite.core.durations import parse_duration
from lazulite.core.ids import parse_path
from lazulite.store.resources import Json
from lazulite.telemetry.dimension_filter import Comparison, DimensionFilter
from lazulite.telemetry.metrics import METRICS, Metric
from lazulite.telemetry.series import NOTHING, Asked, read_series
from lazulite.telemetry.spans import Span, settled_span
from lazulite.telemetry.store import TelemetryStore

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One condition, the series that says most about it, and whether it is met."""

    criterion: Json
    dimensions: tuple[tuple[str, str], ...]
    value: float | None
    """None: there is nothing to judge by."""
    is_met: bool


def metrics_of_scope(scope: str) -> Mapping[str, Metric]:
    """The metrics of what an id names; none of what has none."""
    address = parse_path(scope)
    full_type = f"{address.provider}/{address.resource_type}".casefold()
    return next((known for kind, known in METRICS.items() if kind.casefold() == full_type), {})


def find_metric(scope: str, name: str) -> Metric | None:
    """The metric of that name in any case."""
    known = metrics_of_scope(scope).values()
    return next((each for each in known if each.name.casefold() == name.casefold()), None)


def window(rule: Json, now: datetime) -> Span:
    """The whole minutes that a rule looks at."""
    return settled_span(int(parse_duration(rule["windowSize"]).total_seconds() * 1000), now)


def judge(store: TelemetryStore, rule: Json, now: datetime) -> list[list[Finding]]:
    """For each scope of a rule: each of its conditions. Blocks.

    rule: the properties of a metric alert. What is counted and has no samples is 0; of what is
    measured, no samples mean that the condition is not judged.
    """
    span = window(rule, now)
    return [
        [_finding(store, scope, each, span) for each in rule["criteria"]["allOf"]]
        for scope in rule["scopes"]
    ]


def has_fired(scopes: list[list[Finding]], before: bool) -> bool:
    """Whether all conditions of one scope are met; as before if none can be judged."""
    findings = [finding for found in scopes for finding in found]
    if findings and all(finding.value is None for finding in findings):
        return before
    return any(found and all(each.is_met for each in found) for found in scopes)


def _finding(store: TelemetryStore, scope: str, criterion: Json, span: Span) -> Finding:
    metric = find_metric(scope, criterion["metricName"])
    if metric is None:
        return Finding(criterion, (), None, is_met=False)
    where = DimensionFilter(_groups(criterion))
    found = read_series(store, Asked(scope, metric, span, span[1] - span[0], where))
    empty = {(): {span[0]: NOTHING}} if metric.is_sum else {}
    compare, threshold = OPERATORS[criterion["operator"]], float(criterion["threshold"])
    judged = [
        Finding(criterion, shown, value, compare(value, threshold))
        for shown, values in (found or empty).items()
        for value in [next(iter(values.values())).of(criterion["timeAggregation"])]
    ]
    judged.sort(key=lambda finding: not finding.is_met)
    return judged[0] if judged else Finding(criterion, (), None, is_met=False)


def _groups(criterion: Json) -> tuple[tuple[Comparison, ...], ...]:
    groups: list[tuple[Comparison, ...]] = []
    for each in criterion.get("dimensions") or ():
        if each["operator"] == "Exclude":
            groups += [(Comparison(each["name"], is_equal=False, value=v),) for v in each["values"]]
        else:
            groups.append(tuple(Comparison(each["name"], True, v) for v in each["values"]))
    return tuple(groups)
