"""Autoscale settings as callers say them. Source: Azure's REST reference, Autoscale Settings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from lazulite.arm.kind import Duration, Properties
from lazulite.core.time_zones import zone_of
from lazulite.store.resources import Json

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_zone(text: str) -> str:
    zone_of(text)
    return text


def _is_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Count = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[0-9]{1,4}$")]
"""A whole number, which Azure writes as a text."""
Zone = Annotated[str, AfterValidator(_is_zone)]
Moment = Annotated[str, AfterValidator(_is_moment)]


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
    days: list[Day] = Field(min_length=1)
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
