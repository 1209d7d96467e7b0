"""The metrics of endpoints and deployments: their definitions, and a value of one minute.

Source: Azure's supported metrics of Microsoft.MachineLearningServices/workspaces/onlineEndpoints
and .../deployments. Those marked as ours are not in Azure.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from lazulite.core.ids import ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS

PERCENTILES = (50, 90, 95, 99)
MINUTE_MS = 60_000


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric of one resource type."""

    name: str
    title: str
    unit: str
    aggregation: str = "Average"
    """What is shown if nothing is asked for."""
    dimensions: tuple[str, ...] = ()
    is_sum: bool = False
    """Whether the series of a minute add up to the minute's value; else they are samples of it."""
    description: str = ""


def _latencies(*dimensions: str) -> tuple[Metric, ...]:
    return (
        Metric("RequestLatency", "Request Latency", "MilliSeconds", dimensions=dimensions),
        *(
            Metric(f"RequestLatency_P{n}", f"Request Latency P{n}", "MilliSeconds")
            for n in PERCENTILES
        ),
        Metric(
            "ModelLatency",
            "Model Latency",
            "MilliSeconds",
            dimensions=dimensions,
            description="Until a replica began its answer; not in Azure.",
        ),
        *(
            Metric(f"ModelLatency_P{n}", f"Model Latency P{n}", "MilliSeconds", description="Ours.")
            for n in PERCENTILES
        ),
        Metric(
            "OverheadLatency",
            "Overhead Latency",
            "MilliSeconds",
            dimensions=dimensions,
            description="Of a request, what is not the model's: queue, front door, client. Ours.",
        ),
        Metric(
            "QueueLatency",
            "Queue Latency",
            "MilliSeconds",
            dimensions=dimensions,
            description="In the queue of the deployment; not in Azure.",
        ),
    )


_ENDPOINT = (
    Metric(
        "RequestsPerMinute",
        "Requests Per Minute",
        "Count",
        dimensions=("deployment", "statusCode", "statusCodeClass", "modelStatusCode"),
        is_sum=True,
    ),
    *_latencies("deployment"),
    Metric(
        "NetworkBytes",
        "Network Bytes",
        "BytesPerSecond",
        dimensions=("deployment", "direction"),
        is_sum=True,
    ),
    Metric(
        "ConnectionsActive",
        "Connections Active",
        "Count",
        description="Those on which a request waits or is answered.",
    ),
    Metric("NewConnectionsPerSecond", "New Connections Per Second", "CountPerSecond", is_sum=True),
)
_OF_INSTANCE = ("instanceId",)
_DEPLOYMENT = (
    Metric(
        "RequestsPerMinute",
        "Requests Per Minute",
        "Count",
        dimensions=("envoy_response_code",),
        is_sum=True,
    ),
    *_latencies(),
    Metric(
        "CpuUtilizationPercentage",
        "CPU Utilization Percentage",
        "Percent",
        dimensions=_OF_INSTANCE,
        description="Of the processors of this machine.",
    ),
    Metric(
        "CpuMemoryUtilizationPercentage",
        "CPU Memory Utilization Percentage",
        "Percent",
        dimensions=_OF_INSTANCE,
        description="Of the memory of this machine.",
    ),
    Metric(
        "DiskUtilization",
        "Disk Utilization",
        "Percent",
        "Maximum",
        ("disk",),
        description="Of the disk that has the data folder.",
    ),
    Metric(
        "DeploymentCapacity", "Deployment Capacity", "Count", dimensions=("State",), is_sum=True
    ),
    Metric("QueueDepth", "Queue Depth", "Count", description="Requests that wait; not in Azure."),
    Metric("RequestsActive", "Requests Active", "Count", description="In a replica; ours."),
)

METRICS: Mapping[str, Mapping[str, Metric]] = {
    ONLINE_ENDPOINTS: {metric.name: metric for metric in _ENDPOINT},
    ONLINE_DEPLOYMENTS: {metric.name: metric for metric in _DEPLOYMENT},
}
"""By resource type, then by name."""


class Merge(Enum):
    """What becomes of a point whose minute and series are there already."""

    SAMPLE = "sample"  # one more sample, or several
    SUM = "sum"  # more of the minute's sum
    FINAL = "final"  # it takes the place of what is there


@dataclasses.dataclass(frozen=True)
class Point:
    """A series' value of one minute, or a part of it that is still to be added up."""

    resource: str
    """The folded ARM id."""
    metric: str
    at: int
    """The minute's beginning: milliseconds since 1970."""
    total: float
    count: float = 1.0
    minimum: float | None = None
    maximum: float | None = None
    dimensions: tuple[tuple[str, str], ...] = ()
    merge: Merge = Merge.SAMPLE

    def row(self) -> tuple[Any, ...]:
        """The row of the table."""
        value = self.total / self.count if self.count else 0.0
        low = value if self.minimum is None else self.minimum
        high = value if self.maximum is None else self.maximum
        dimensions = json.dumps(dict(self.dimensions), separators=(",", ":"))
        return (self.resource, self.metric, self.at, dimensions, self.count, self.total, low, high)
