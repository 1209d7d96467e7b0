"""Environments that nobody needs, taken away by themselves if the settings say so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta

from lazulite.core.clock import Clock
from lazulite.core.settings import Settings
from lazulite.environments.cache import Cache, Limits

log = logging.getLogger(__name__)

EVERY_S = 3600.0
GIB = 1 << 30


def limits_of(settings: Settings) -> Limits | None:
    """What the settings let stay; None if all may."""
    days, gib = settings.environments_days, settings.environments_gib
    if not days and not gib:
        return None
    return Limits(age=timedelta(days=days) if days else None, size=int(gib * GIB) if gib else None)


async def keep_environments(
    cache: Cache, limits: Limits | None, clock: Clock, stop: asyncio.Event
) -> None:
    """Remove what killed builds have left, and each hour what the limits do not let stay."""
    while not stop.is_set():
        try:
            await _tidied(cache, limits, clock)
        except Exception:  # the loop: the next turn tries again
            log.exception("environments could not be removed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_S)


async def _tidied(cache: Cache, limits: Limits | None, clock: Clock) -> None:
    await cache.sweep()
    if limits is not None:
        for gone in await cache.prune(limits, clock()):
            log.info("environment removed", extra={"hash": gone.hash, "bytes": gone.size})
