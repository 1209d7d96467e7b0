"""Environments that nobody needs, taken away by themselves if the settings say so."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from lazulite.core.settings import Settings
from lazulite.environments.cache import Cache, Limits

log = logging.getLogger(__name__)

GIB = 1 << 30


def limits_of(settings: Settings) -> Limits | None:
    """What the settings let stay; None if all may."""
    days, gib = settings.environments_days, settings.environments_gib
    if not days and not gib:
        return None
    return Limits(age=timedelta(days=days) if days else None, size=int(gib * GIB) if gib else None)


async def tidy_environments(cache: Cache, limits: Limits | None, now: datetime) -> None:
    """Remove what killed builds have left, and what the limits do not let stay."""
    await cache.sweep()
    if limits is not None:
        for gone in await cache.prune(limits, now):
            log.info("environment removed", extra={"hash": gone.hash, "bytes": gone.size})
