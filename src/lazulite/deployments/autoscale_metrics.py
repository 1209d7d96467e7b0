"""What autoscale rules are compared with: the metrics of endpoints and deployments."""

from __future__ import annotations

import asyncio

from lazulite.deployments.autoscaling import ReadMetric, Window
from lazulite.store.resources import Resources
from lazulite.telemetry.metric_answers import metric_named
from lazulite.telemetry.metrics import MINUTE_MS
from lazulite.telemetry.series import Asked, read_series
from lazulite.telemetry.spans import milliseconds, whole_minutes
from lazulite.telemetry.store import TelemetryStore


def kept_metrics(store: TelemetryStore, resources: Resources) -> ReadMetric:
    """Reads them by the minute, which is their finest grain. A resource that is gone has none."""

    async def read(window: Window) -> list[float]:
        resource = await resources.find(window.resource)
        if resource is None:
            return []
        metric = metric_named(resource, window.metric)
        span = whole_minutes((milliseconds(window.start), milliseconds(window.end)))
        grain = int(window.grain.total_seconds() * 1000)
        grain = max(MINUTE_MS, grain - grain % MINUTE_MS)
        asked = Asked(resource.id, metric, span, grain)
        found = (await asyncio.to_thread(read_series, store, asked)).get((), {})
        return [value.of(window.aggregation) for value in found.values()]

    return read
