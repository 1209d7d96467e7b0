"""`monitor metrics` and `monitor log-analytics`: what was measured and logged."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

from lazulite.cli.errors import CommandError
from lazulite.cli.monitor_arguments import MonitorArguments
from lazulite.cli.workspace import Workspace

METRICS_VERSION = "2018-01-01"
_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")


def metrics(workspace: Workspace, arguments: MonitorArguments) -> dict[str, Any]:
    """Values by interval, as `az monitor metrics list` prints them."""
    length = iso_length(arguments.offset)
    span = length
    if arguments.start_time:
        span = f"{arguments.start_time}/{arguments.end_time or length}"
    elif arguments.end_time:
        span = f"{length}/{arguments.end_time}"
    asked = {
        "api-version": METRICS_VERSION,
        "metricnames": ",".join(arguments.metrics),
        "timespan": span,
        "interval": arguments.interval,
        "aggregation": ",".join(arguments.aggregation),
        "$filter": arguments.filter,
    }
    given = {name: value for name, value in asked.items() if value}
    return dict(_of_resource(workspace, arguments.resource, "metrics", given))


def definitions(workspace: Workspace, arguments: MonitorArguments) -> list[dict[str, Any]]:
    """The metrics that there are."""
    asked = {"api-version": METRICS_VERSION}
    found = _of_resource(workspace, arguments.resource, "metricDefinitions", asked)
    return list(found["value"])


def query(workspace: Workspace, arguments: MonitorArguments) -> list[dict[str, Any]]:
    """The rows of a query as objects, as `az monitor log-analytics query` prints them."""
    name = arguments.log_workspace or workspace.connection.workspace
    body = {"query": arguments.analytics_query}
    if arguments.timespan:
        body["timespan"] = arguments.timespan
    url = f"{workspace.connection.url}/v1/workspaces/{quote(name, safe='')}/query"
    [table] = workspace.call("POST", url, body).value()["tables"]
    columns = [column["name"] for column in table["columns"]]
    return [
        {**dict(zip(columns, row, strict=True)), "TableName": table["name"]}
        for row in table["rows"]
    ]


def full_id(workspace: Workspace, resource: str) -> str:
    """The ARM id; a path without a slash in front is one of the workspace."""
    return resource if resource.startswith("/") else workspace.id(resource)


def iso_length(text: str) -> str:
    """From az's way to write a length, such as 1h30m, to ISO 8601. Raises CommandError."""
    if text[:1] in "Pp" and text:
        return text.upper()
    found = _LENGTH.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise CommandError("InvalidArgument", f"{text!r} is no length of time: write 5m, 1h or 2d.")
    days, hours, minutes = found.groups()
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return f"P{days}D" * bool(days) + ("" if days else "P") + (f"T{time}" if time else "")


def _of_resource(workspace: Workspace, resource: str, what: str, asked: dict[str, str]) -> Any:
    path = quote(f"{full_id(workspace, resource)}/providers/microsoft.insights/{what}")
    return workspace.call("GET", f"{workspace.connection.url}{path}?{urlencode(asked)}").value()
