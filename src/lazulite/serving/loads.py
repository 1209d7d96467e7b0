"""The load of deployments, read from the front door once for all who ask at about one time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lazulite.serving.proxy_stats import Load, ProxyStats, read_stats

FRESH_S = 0.2
"""Seconds; with a shorter polling interval, a reading counts more than once."""


class Loads:
    """Answers from the last reading while it is fresh: one reads all deployments anyway."""

    def __init__(self, run_folder: Path, read: Callable[[Path], ProxyStats] = read_stats) -> None:
        """run_folder: where HAProxy is asked."""
        self._run_folder, self._read = run_folder, read
        self._turn = asyncio.Lock()
        self._seen: Mapping[tuple[str, str], Load] = {}
        self._stale_at = 0.0

    async def of(self, endpoint: str, deployment: str) -> Load | None:
        """None while the front door cannot be asked, or does not know the deployment yet."""
        async with self._turn:
            if time.monotonic() >= self._stale_at:
                self._seen = await asyncio.to_thread(self._look)
                self._stale_at = time.monotonic() + FRESH_S
            return self._seen.get((endpoint.lower(), deployment.lower()))

    def _look(self) -> Mapping[tuple[str, str], Load]:
        try:
            return self._read(self._run_folder).deployments
        except (OSError, ValueError, KeyError):  # it is being started, or replaced
            return {}
