"""`monitor metrics alert` and `monitor action-group`: rules about metrics, and who is told.

Rules and groups are of the resource group of the workspace.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from lazulite.cli.errors import CommandError
from lazulite.cli.monitor import full_id, iso_length
from lazulite.cli.monitor_arguments import MonitorArguments
from lazulite.cli.workspace import Workspace

_RULES, _GROUPS = ("metricAlerts", "2018-03-01"), ("actionGroups", "2021-09-01")
_AGGREGATIONS = {
    "avg": "Average",
    "min": "Minimum",
    "max": "Maximum",
    "total": "Total",
    "count": "Count",
}
_OPERATORS = {
    "=": "Equals",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqual",
    "<": "LessThan",
    "<=": "LessThanOrEqual",
}
_CONDITION = re.compile(
    r"\s*(?P<aggregation>avg|min|max|total|count)\s+"
    r"(?:['\"]?[\w./ ]+['\"]?\.)?(?P<metric>\w+)\s*(?P<operator>>=|<=|>|<|=)\s*"
    r"(?P<threshold>-?\d+(?:\.\d+)?)(?:\s+where\s+(?P<dimensions>.+))?\s*",
    re.IGNORECASE,
)
_DIMENSION = re.compile(
    r"(?P<name>\w+)\s+(?P<how>includes|excludes)\s+(?P<values>.+)", re.IGNORECASE
)

Json = dict[str, Any]


def create(workspace: Workspace, arguments: MonitorArguments) -> Json:
    """Create or replace a rule."""
    conditions = [parse_condition(text, n) for n, text in enumerate(arguments.condition)]
    properties = {
        "description": arguments.description,
        "severity": arguments.severity,
        "enabled": not arguments.disabled,
        "scopes": [full_id(workspace, scope) for scope in arguments.scopes],
        "evaluationFrequency": iso_length(arguments.evaluation_frequency),
        "windowSize": iso_length(arguments.window_size),
        "criteria": {
            "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
            "allOf": conditions,
        },
        "actions": [
            {"actionGroupId": group if group.startswith("/") else _path(workspace, _GROUPS, group)}
            for group in arguments.action
        ],
    }
    return _put(workspace, _RULES, arguments.name, properties)


def listing(workspace: Workspace, arguments: MonitorArguments) -> list[Json]:
    """The rules."""
    return _list(workspace, _RULES)


def show(workspace: Workspace, arguments: MonitorArguments) -> Json:
    """One of them."""
    return _shown(_call(workspace, "GET", _RULES, arguments.name))


def delete(workspace: Workspace, arguments: MonitorArguments) -> None:
    """Delete it; nothing happens if there is none."""
    _call(workspace, "DELETE", _RULES, arguments.name)


def create_group(workspace: Workspace, arguments: MonitorArguments) -> Json:
    """Create or replace an action group."""
    kind, *rest = arguments.action or ("webhook",)
    if kind.lower() != "webhook" or len(rest) not in {0, 2}:
        raise CommandError(
            "InvalidArgument",
            f"--action {' '.join(arguments.action)!r} is not served here: write webhook NAME URI.",
        )
    hooks = [{"name": rest[0], "serviceUri": rest[1], "useCommonAlertSchema": True}] if rest else []
    properties = {
        "groupShortName": arguments.short_name or arguments.name[:12],
        "enabled": True,
        "webhookReceivers": hooks,
    }
    return _put(workspace, _GROUPS, arguments.name, properties)


def list_groups(workspace: Workspace, arguments: MonitorArguments) -> list[Json]:
    """The action groups."""
    return _list(workspace, _GROUPS)


def show_group(workspace: Workspace, arguments: MonitorArguments) -> Json:
    """One of them."""
    return _shown(_call(workspace, "GET", _GROUPS, arguments.name))


def delete_group(workspace: Workspace, arguments: MonitorArguments) -> None:
    """Delete it; nothing happens if there is none."""
    _call(workspace, "DELETE", _GROUPS, arguments.name)


def parse_condition(text: str, number: int) -> Json:
    """From az's grammar to a criterion. Raises CommandError that shows the grammar."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise CommandError(
            "InvalidArgument",
            f"--condition {text!r} makes no sense: write {{avg,min,max,total,count}} METRIC "
            "{=,>,>=,<,<=} NUMBER [where DIMENSION {includes,excludes} VALUE [or VALUE ...]"
            " [and ...]].",
        )
    said = found["dimensions"]
    return {
        "criterionType": "StaticThresholdCriterion",
        "name": f"cond{number}",
        "metricName": found["metric"],
        "timeAggregation": _AGGREGATIONS[found["aggregation"].lower()],
        "operator": _OPERATORS[found["operator"]],
        "threshold": float(found["threshold"]),
        "dimensions": [_dimension(each) for each in re.split(r"\s+and\s+", said or "") if each],
    }


def _dimension(text: str) -> Json:
    found = _DIMENSION.fullmatch(text.strip())
    if found is None:
        message = f"{text!r} is no dimension: write NAME {{includes,excludes}} VALUE [or VALUE]."
        raise CommandError("InvalidArgument", message)
    return {
        "name": found["name"],
        "operator": "Include" if found["how"].lower() == "includes" else "Exclude",
        "values": re.split(r"\s+or\s+", found["values"].strip()),
    }


def _put(workspace: Workspace, kind: tuple[str, str], name: str, properties: Json) -> Json:
    body = {"location": "global", "tags": {}, "properties": properties}
    return _shown(_call(workspace, "PUT", kind, name, body))


def _list(workspace: Workspace, kind: tuple[str, str]) -> list[Json]:
    return [_shown(each) for each in _call(workspace, "GET", kind, "")["value"]]


def _call(
    workspace: Workspace, method: str, kind: tuple[str, str], name: str, body: Json | None = None
) -> Any:
    path = quote(_path(workspace, kind, name).rstrip("/"))
    url = f"{workspace.connection.url}{path}?api-version={kind[1]}"
    return workspace.call(method, url, body).value()


def _path(workspace: Workspace, kind: tuple[str, str], name: str) -> str:
    known = workspace.connection
    group = f"/subscriptions/{known.subscription_id}/resourceGroups/{known.resource_group}"
    return f"{group}/providers/Microsoft.Insights/{kind[0]}/{name}"


def _shown(resource: Json) -> Json:
    """As az prints it: the properties beside the rest."""
    shown = {name: value for name, value in resource.items() if name != "properties"}
    return {**shown, **(resource.get("properties") or {})}
