"""Probes of online deployments: from ISO 8601 durations to seconds. Source: spec/REST.md 7.6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError
from lazulite.deployments.online_properties import ProbeSettings
from lazulite.serving.own_server import Probe
from lazulite.store.resources import Json

SHORTEST_S = 0.01


def probe_of(properties: Mapping[str, Any], name: str) -> Probe:
    """A probe's settings. Left out, they are Azure's defaults. name: such as livenessProbe."""
    given = properties.get(name) or ProbeSettings().model_dump(by_alias=True)
    delay, period, timeout = (
        parse_duration(given[field], f"{name}.{field}").total_seconds()
        for field in ("initialDelay", "period", "timeout")
    )
    return Probe(
        delay_s=delay,
        period_s=period,
        timeout_s=timeout,
        failures=int(given["failureThreshold"]),
        successes=int(given["successThreshold"]),
    )


def check_probes(properties: Json) -> None:
    """Raise ArmError 400 for a probe that would ask without a pause, or not wait for an answer."""
    for name in ("livenessProbe", "readinessProbe"):
        probe = probe_of(properties, name)
        for field, seconds in (("period", probe.period_s), ("timeout", probe.timeout_s)):
            if seconds < SHORTEST_S:
                raise ArmError(
                    "ValidationError",
                    f"{name}.{field} is {properties[name][field]}: it must be PT0.01S or more.",
                    target=f"{name}.{field}",
                )
