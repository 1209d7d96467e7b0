"""Autoscale settings as callers say them. Source: Azure's REST reference, Autoscale Settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from lazulite.arm.kind import Duration, Properties
from lazulite.arm.times import Moment, WeekDay, Zone
from lazulite.store.resources import Json


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Count = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[0-9]{1,4}$")]
"""A whole number, which Azure writes as a text."""


class ScaleCapacity(Properties):
    """Bounds of the number of instances. default: if metrics cannot be had."""

    minimum: Count
    maximum: Count
    default: Count


class MetricTrigger(Properties):
    """When a rule applies."""

    metric_name: str
    metric_namespace: str | None = None
    metric_resource_uri: str
    metric_resource_location: str | None = None
    time_grain: Duration = "PT1M"
    statistic: Literal["Average", "Min", "Max", "Sum", "Count"] = "Average"
    time_window: Duration = "PT10M"
    time_aggregation: Literal["Average", "Minimum", "Maximum", "Total", "Count", "Last"] = "Average"
    operator: Literal[
        "Equals",
        "NotEquals",
        "GreaterThan",
        "GreaterThanOrEqual",
        "LessThan",
        "LessThanOrEqual",
    ]
    threshold: float
    dimensions: list[Json] = Field(default_factory=list)
    divide_per_instance: bool = False


class ScaleAction(Properties):
    """What a rule does."""

    direction: Literal["None", "Increase", "Decrease"]
    action_type: Literal[
        "ChangeCount", "PercentChangeCount", "ExactCount", "ServiceAllowedNextValue"
    ] = Field(alias="type")
    value: Count = "1"
    cooldown: Duration = "PT5M"


class ScaleRule(Properties):
    """If this, then that."""

    metric_trigger: MetricTrigger
    scale_action: ScaleAction


class FixedDate(Properties):
    """From one moment to another, both in the zone unless they say one."""

    time_zone: Zone = "UTC"
    start: Moment
    end: Moment


class RecurrentSchedule(Properties):
    """When a profile begins, every week."""

    time_zone: Zone = "UTC"
    days: list[WeekDay] = Field(min_length=1)
    hours: list[Annotated[int, Field(ge=0, le=23)]] = Field(min_length=1)
    minutes: list[Annotated[int, Field(ge=0, le=59)]] = Field(min_length=1)


class Recurrence(Properties):
    """Every week; Azure's other frequencies have no effect there either."""

    frequency: Literal["Week"]
    schedule: RecurrentSchedule


class Profile(Properties):
    """Bounds and rules, always or for a time."""

    name: str
    capacity: ScaleCapacity
    rules: list[ScaleRule] = Field(default_factory=list, max_length=10)
    fixed_date: FixedDate | None = None
    recurrence: Recurrence | None = None


class AutoscaleSetting(Properties):
    """A setting. What else is said of it, such as notifications, is kept."""

    model_config = ConfigDict(extra="allow")
    name: str | None = None
    enabled: bool = True
    target_resource_uri: str
    target_resource_location: str | None = None
    profiles: list[Profile] = Field(min_length=1, max_length=20)
    notifications: list[Json] = Field(default_factory=list)
