"""Azure Monitor's answers about metrics.

Source: Azure's REST reference, Metrics - List, Metric Definitions - List, Metric Namespaces - List.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from lazulite.core.errors import ArmError
from lazulite.store.resources import Json, Resource
from lazulite.telemetry.dimension_filter import parse_filter
from lazulite.telemetry.metrics import METRICS, Metric
from lazulite.telemetry.readers import Reader
from lazulite.telemetry.series import Asked, Shown, Value, read_series
from lazulite.telemetry.spans import INTERVALS, iso, parse_interval, parse_span, whole_minutes

MOST_POINTS = 44_640
"""Of all series of an answer together: a month of minutes of one."""
MOST_METRICS = 20
"""Azure's limit for metricnames."""
_HOUR = timedelta(hours=1)
AGGREGATIONS = ("Average", "Minimum", "Maximum", "Total", "Count")


def definitions(resource: Resource) -> Json:
    """The metrics of a resource."""
    return {"value": [_definition(resource, metric) for metric in metrics_of(resource).values()]}


def namespaces(resource: Resource) -> Json:
    """The one namespace: the resource's type."""
    name = resource.resource_type
    metrics_of(resource)
    entry = {
        "id": f"{resource.id}/providers/microsoft.insights/metricNamespaces/{name}",
        "type": "Microsoft.Insights/metricNamespaces",
        "name": name,
        "classification": "Platform",
        "properties": {"metricNamespaceName": name},
    }
    return {"value": [entry]}


def values(reader: Reader, resource: Resource, query: Mapping[str, str], now: datetime) -> Json:
    """What was measured, as the query asks; its names are in lower case. Raises ArmError 400."""
    span = whole_minutes(parse_span(query.get("timespan", ""), now, _HOUR))
    interval = query.get("interval") or "PT1M"
    length = (span[1] - span[0]) if interval.upper() == "FULL" else parse_interval(interval)
    points, room = len(range(*span, length)), MOST_POINTS
    shown = []
    for metric in _asked(resource, query.get("metricnames", "")):
        _check_room(points, room, interval)
        where = parse_filter(query.get("$filter", ""), metric)
        asked = Asked(resource.id, metric, span, length, where)
        wanted = _aggregations(query.get("aggregation", ""), metric)
        found = read_series(reader, asked)
        room -= points * max(1, len(found))
        _check_room(0, room, interval)
        shown.append(_metric(resource, asked, wanted, found))
    return {
        "cost": 0,
        "timespan": f"{iso(span[0])}/{iso(span[1])}",
        "interval": interval,
        "namespace": resource.resource_type,
        "resourceregion": str(resource.envelope.get("location") or ""),
        "value": shown,
    }


def metrics_of(resource: Resource) -> Mapping[str, Metric]:
    """The metrics of a resource. Raises ArmError 400 for one that has none."""
    found = METRICS.get(resource.resource_type)
    if found is None:
        message = (
            f"{resource.resource_type} has no metrics: online endpoints and their deployments do."
        )
        raise ArmError("BadRequest", message)
    return found


def metric_named(resource: Resource, name: str) -> Metric:
    """The metric of that name in any case. Raises ArmError 400 naming those that there are."""
    known = metrics_of(resource)
    for metric in known.values():
        if metric.name.casefold() == name.strip().casefold():
            return metric
    message = (
        f"Failed to find metric configuration for provider: Microsoft.MachineLearningServices, "
        f"resource Type: {resource.resource_type}, metric: {name.strip()}. "
        f"Valid metrics: {', '.join(known)}."
    )
    raise ArmError("BadRequest", message, target="metricnames")


def _check_room(points: int, room: int, interval: str) -> None:
    """Raise ArmError 400 for more points than may still be shown."""
    if points > room:
        message = (
            f"{interval} of that timespan are more than {MOST_POINTS} points in all metrics and "
            "series: ask for fewer of these, a longer interval or a shorter timespan."
        )
        raise ArmError("BadRequest", message, target="interval")


def _asked(resource: Resource, names: str) -> list[Metric]:
    """Those that are named; the first one if none is."""
    if not names.strip():
        return list(metrics_of(resource).values())[:1]
    said = names.split(",")
    if len(said) > MOST_METRICS:
        message = f"{len(said)} metrics are named: ask for {MOST_METRICS} at most at a time."
        raise ArmError("BadRequest", message, target="metricnames")
    found = [metric_named(resource, name) for name in said]
    twice = next((one.name for one in found if found.count(one) > 1), None)
    if twice is not None:
        message = f"The metric {twice!r} is named more than once: name each once."
        raise ArmError("BadRequest", message, target="metricnames")
    return found


def _aggregations(text: str, metric: Metric) -> list[str]:
    known = {name.casefold(): name for name in AGGREGATIONS}
    asked = [word.strip() for word in text.split(",") if word.strip()] or [metric.aggregation]
    for word in asked:
        if word.casefold() not in known:
            message = f"The aggregation {word!r} is not one of {', '.join(AGGREGATIONS)}."
            raise ArmError("BadRequest", message, target="aggregation")
    return list(dict.fromkeys(known[word.casefold()] for word in asked))


def _metric(
    resource: Resource,
    asked: Asked,
    aggregations: list[str],
    found: Mapping[Shown, Mapping[int, Value]],
) -> Json:
    metric = asked.metric
    return {
        "id": f"{resource.id}/providers/Microsoft.Insights/metrics/{metric.name}",
        "type": "Microsoft.Insights/metrics",
        "name": _name(metric.name, metric.title),
        "displayDescription": metric.description or metric.title,
        "unit": metric.unit,
        "timeseries": [
            {
                "metadatavalues": [
                    {"name": _name(name.lower(), name.lower()), "value": value}
                    for name, value in shown
                ],
                "data": _data(asked, aggregations, series),
            }
            for shown, series in (sorted(found.items()) or [((), {})])
        ],
        "errorCode": "Success",
    }


def _data(
    asked: Asked, aggregations: list[str], series: Mapping[int, Value]
) -> list[dict[str, Any]]:
    """A point for each interval; one without samples has a time only."""
    points = []
    for at in range(asked.span[0], asked.span[1], asked.interval):
        point: dict[str, Any] = {"timeStamp": iso(at)}
        if (value := series.get(at)) is not None:
            point |= {name.lower(): value.of(name) for name in aggregations}
        points.append(point)
    return points


def _definition(resource: Resource, metric: Metric) -> Json:
    where = f"{resource.id}/providers/microsoft.insights/metricdefinitions/{metric.name}"
    grains = [{"timeGrain": grain, "retention": "P93D"} for grain in INTERVALS]
    return {
        "id": where,
        "resourceId": resource.id,
        "namespace": resource.resource_type,
        "category": "Traffic" if "Request" in metric.name or "Lat" in metric.name else "Resource",
        "name": _name(metric.name, metric.title),
        "displayDescription": metric.description or metric.title,
        "isDimensionRequired": False,
        "unit": metric.unit,
        "primaryAggregationType": metric.aggregation,
        "supportedAggregationTypes": list(AGGREGATIONS),
        "metricAvailabilities": grains,
        "dimensions": [_name(name, name) for name in metric.dimensions],
    }


def _name(value: str, shown: str) -> Json:
    return {"value": value, "localizedValue": shown}
