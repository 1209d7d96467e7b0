"""What autoscale rules are compared with: the metrics of endpoints and deployments."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from lazulite.core.errors import ArmError
from lazulite.deployments.autoscaling import ReadMetric, Window
from lazulite.store.resources import Resources
from lazulite.telemetry.metric_answers import metric_named
from lazulite.telemetry.metrics import MINUTE_MS
from lazulite.telemetry.series import NOTHING, Asked, read_series
from lazulite.telemetry.spans import settled_span
from lazulite.telemetry.store import TelemetryStore


def kept_metrics(store: TelemetryStore, resources: Resources) -> ReadMetric:
    """Reads them by the minute, which is their finest grain. A resource that is gone has none.

    Minutes that have not ended are not judged. What is counted and has no samples is 0.
    """

    async def read(window: Window) -> list[float]:
        resource = await resources.find(window.resource)
        if resource is None:
            return []
        metric = metric_named(resource, window.metric)
        if metric.is_sum and window.aggregation == "Count":
            message = f"The Count of {metric.name} is that of its minutes: use Sum, or Average."
            raise ArmError("BadRequest", message)
        grain = _minutes(window.grain)
        span = settled_span(max(grain, _minutes(window.end - window.start)), window.end)
        asked = Asked(resource.id, metric, span, grain)
        found = (await asyncio.to_thread(read_series, store, asked)).get((), {})
        if metric.is_sum:
            found = {at: found.get(at, NOTHING) for at in range(*span, grain)}
        return [value.of(window.aggregation) for value in found.values()]

    return read


def _minutes(length: timedelta) -> int:
    """Whole ones, one at least, in milliseconds."""
    milliseconds = int(length.total_seconds() * 1000)
    return max(MINUTE_MS, milliseconds - milliseconds % MINUTE_MS)
