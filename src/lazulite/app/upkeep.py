"""Environments that nobody needs and telemetry that is old, taken away as the settings say."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from lazulite.core.settings import Settings
from lazulite.environments.cache import Cache, Limits
from lazulite.telemetry.retention import Keep

log = logging.getLogger(__name__)

GIB = 1 << 30
MIB = 1 << 20


def limits_of(settings: Settings) -> Limits | None:
    """What the settings let stay; None if all may."""
    days, gib = settings.environments_days, settings.environments_gib
    if not days and not gib:
        return None
    return Limits(age=timedelta(days=days) if days else None, size=int(gib * GIB) if gib else None)


def kept_telemetry(settings: Settings) -> Keep:
    """How much of logs and metrics the settings let stay."""
    logs, metrics = settings.logs_days, settings.metrics_days
    return Keep(
        timedelta(days=logs) if logs else None,
        settings.logs_mib * MIB or None,
        timedelta(days=metrics) if metrics else None,
    )


async def tidy_environments(cache: Cache, limits: Limits | None, now: datetime) -> None:
    """Remove what killed builds have left, and what the limits do not let stay."""
    await cache.sweep()
    if limits is not None:
        for gone in await cache.prune(limits, now):
            log.info("environment removed", extra={"hash": gone.hash, "bytes": gone.size})
