"""Microsoft.Insights/metricAlerts: rules about metrics of online endpoints and deployments.

The record is the rule; telemetry/alerts.py judges it. Source: Azure's REST reference, Metric Alerts
2018-03-01.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal

from pydantic import Field

from lazulite.arm.kind import Action, Answer, Call, Duration, Kind, Properties, Proposal
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError
from lazulite.core.ids import METRIC_ALERTS
from lazulite.store.resources import Json
from lazulite.telemetry.alert_rules import find_metric, metrics_of_scope
from lazulite.telemetry.alerts import Alerts
from lazulite.telemetry.spans import iso

FREQUENCIES = ("PT1M", "PT5M", "PT15M", "PT30M", "PT1H")
WINDOWS = (*FREQUENCIES, "PT6H", "PT12H", "P1D")


class Dimension(Properties):
    """Which series of a metric are meant."""

    name: str
    operator: Literal["Include", "Exclude"] = "Include"
    values: list[str] = Field(min_length=1)


class Criterion(Properties):
    """One condition."""

    name: str = ""
    criterion_type: str = "StaticThresholdCriterion"
    metric_name: str
    metric_namespace: str | None = None
    dimensions: list[Dimension] = Field(default_factory=list)
    operator: Literal["Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"]
    threshold: float
    time_aggregation: Literal["Average", "Count", "Minimum", "Maximum", "Total"]


class Criteria(Properties):
    """All of the conditions must be met."""

    kind: str | None = Field(default=None, alias="odata.type")
    all_of: list[Criterion] = Field(min_length=1, max_length=5)


class AlertAction(Properties):
    """Who is told."""

    action_group_id: str
    web_hook_properties: dict[str, str] | None = None


class MetricAlert(Properties):
    """A rule."""

    description: str = ""
    severity: int = Field(ge=0, le=4)
    enabled: bool = True
    scopes: list[str] = Field(min_length=1)
    evaluation_frequency: Duration = "PT1M"
    window_size: Duration = "PT5M"
    criteria: Criteria
    auto_mitigate: bool = True
    target_resource_type: str | None = None
    target_resource_region: str | None = None
    actions: list[AlertAction] = Field(default_factory=list)


def metric_alert(alerts: Alerts) -> Kind:
    """A record, and how it stands."""

    async def prepare(proposal: Proposal) -> Proposal:
        _check(proposal.properties)
        await alerts.check(proposal.actor, proposal.properties)
        return proposal

    async def status(call: Call) -> Answer:
        state = await asyncio.to_thread(alerts.state, call.resource)
        properties: Json = {
            "dimensions": {},
            "status": "Unhealthy" if state and state["fired"] else "Healthy",
            "timestamp": iso(state["at"]) if state and state["at"] else None,
        }
        one = {
            "id": f"{call.resource.id}/status/current",
            "name": "current",
            "type": f"{METRIC_ALERTS}/status",
            "properties": properties,
        }
        return Answer(body={"value": [one]})

    provider, _, resource_type = METRIC_ALERTS.partition("/")
    return Kind(
        resource_type=resource_type,
        provider=provider,
        since="2014-12-01",
        name=re.compile(r"[^/?#&%*<>:]{1,260}"),
        properties=MetricAlert,
        envelope=frozenset({"location", "tags"}),
        prepare=prepare,
        has_state=False,
        created=200,
        actions={"status": Action(perform=status, method="GET", permission="read")},
    )


def _check(rule: Json) -> None:
    """Raise ArmError 400 for a rule that could never be judged."""
    for name, known in (("evaluationFrequency", FREQUENCIES), ("windowSize", WINDOWS)):
        if rule[name].upper() not in known:
            message = f"{name} is {rule[name]!r}: it must be one of {', '.join(known)}."
            raise ArmError("ValidationError", message, target=name)
    if parse_duration(rule["windowSize"]) < parse_duration(rule["evaluationFrequency"]):
        message = "windowSize is shorter than evaluationFrequency: make it as long at least."
        raise ArmError("ValidationError", message, target="windowSize")
    for scope in rule["scopes"]:
        for criterion in rule["criteria"]["allOf"]:
            _check_criterion(scope, criterion)


def _check_criterion(scope: str, criterion: Json) -> None:
    """Refuse what could never be judged."""
    if criterion["criterionType"] != "StaticThresholdCriterion":
        message = (
            f"criterionType {criterion['criterionType']!r} is not judged here: use "
            "StaticThresholdCriterion."
        )
        raise ArmError("CriterionNotSupported", message, target="criteria")
    known: Any = metrics_of_scope(scope)
    if not known:
        message = f"{scope!r} has no metrics: name an online endpoint or a deployment of one."
        raise ArmError("ValidationError", message, target="scopes")
    metric = find_metric(scope, criterion["metricName"])
    if metric is None:
        message = f"There is no metric {criterion['metricName']!r} there: {', '.join(known)}."
        raise ArmError("ValidationError", message, target="criteria")
    for dimension in criterion["dimensions"]:
        if dimension["name"] not in metric.dimensions:
            has = ", ".join(metric.dimensions) or "none"
            message = f"{metric.name} has no dimension {dimension['name']!r}; it has: {has}."
            raise ArmError("ValidationError", message, target="criteria")
