"""What clients send to run history. Source: spec/REST.md 9.2 and 9.8."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from lazulite.arm.kind import Properties

Texts = dict[str, str | None]
NUMBERS_TOO = ConfigDict(coerce_numbers_to_str=True)
"""A number is taken for its text, as the service does."""


class QueryParams(Properties):
    """A list with a filter."""

    filter: str | None = None
    continuation_token: str | None = None
    order_by: str | None = None
    top: int | None = Field(default=None, ge=1)
    view_type: str | None = None


class CreateRun(Properties):
    """A change of a run, or a new run."""

    model_config = NUMBERS_TOO
    run_id: str | None = None
    parent_run_id: str | None = None
    status: str | None = None
    start_time_utc: str | None = None
    end_time_utc: str | None = None
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    hidden: bool | None = None
    run_type: str | None = None
    script_name: str | None = None
    target: str | None = None
    properties: dict[str, Any] | None = None
    tags: Texts | None = None
    run_definition: Any = None
    error: Any = None


class ManyRuns(Properties):
    """Changes of several runs."""

    runs: list[CreateRun] = Field(default_factory=list)


class RunIds(Properties):
    """Which runs to show."""

    run_ids: list[str] = Field(default_factory=list)


class RunDataRequest(Properties):
    """Which run to show everything of."""

    run_id: str


class ModifyExperiment(Properties):
    """A change of an experiment."""

    model_config = NUMBERS_TOO
    description: str | None = None
    tags: Texts | None = None
    archive: bool | None = None


class Tags(Properties):
    """Tags to drop, and tags to set."""

    model_config = NUMBERS_TOO
    tags: Texts | list[str] | None = None
    tags_to_modify: Texts | None = None
    tags_to_delete: list[str] | None = None


class Event(Properties):
    """Something that happened to a run."""

    name: str
    timestamp: str | None = None
    data: dict[str, Any] | None = None


class Events(Properties):
    """Several events."""

    events: list[dict[str, Any]] = Field(default_factory=list)


class MetricForm(Properties):
    """One metric, kept as it came."""

    model_config = ConfigDict(extra="allow")
    metric_id: str | None = None
    metric_type: str | None = None
    name: str = Field(min_length=1)
    cells: list[dict[str, Any]] | None = None


class ManyMetrics(Properties):
    """Several metrics."""

    values: list[MetricForm] = Field(default_factory=list)


class Paths(Properties):
    """Which artifacts to show."""

    paths: list[str] = Field(default_factory=list)
