"""Bringing data while reconcile steps go on: they ask, and ask again until the data are there."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lazulite.blobs.back_end import BackEnd
from lazulite.core.errors import SpecError
from lazulite.fetch.errors import NOT_REACHABLE, FetchError
from lazulite.fetch.session import Fetcher
from lazulite.remote.bringing import Bringing, Progress
from lazulite.remote.cache import Cache
from lazulite.remote.own_blobs import OwnBlobs, OwnBringing
from lazulite.remote.sources import Source
from lazulite.store.resources import Json

SOURCES_AT_ONCE = 4
FRESH_S = 60.0  # for so long an outcome is believed; then the other server is asked again


class StillFetching(Exception):  # noqa: N818 - nothing went wrong
    """The data are on their way: ask again soon."""

    def __init__(self, source: Source | OwnBlobs, progress: Progress) -> None:
        """source: what is asked for; progress: how far it is."""
        super().__init__(f"{source.shown} is being fetched")
        self._source, self._progress = source, progress

    def observed(self) -> Json:
        """What to note of it, and to show."""
        progress = self._progress
        return {
            "phase": "data",
            "progress": {
                "state": "preparing",
                "error": None,
                "fetching": {
                    "source": self._source.shown,
                    "files": progress.files,
                    "bytes": progress.bytes,
                    "totalBytes": progress.total,
                },
            },
        }


class Bringer:
    """Brings sources, a few at a time. Starts its threads when they are needed."""

    def __init__(self, fetcher: Fetcher, cache: Cache) -> None:
        """fetcher: with the server's rules; cache: where the data go."""
        self._fetcher, self._cache = fetcher, cache
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(SOURCES_AT_ONCE, thread_name_prefix="source")
        self._known: dict[str, _Asked] = {}

    def path(self, source: Source) -> Path:
        """Where the data are on this machine. Returns at once.

        Raises StillFetching until they are there, and SpecError if they cannot be had. After a
        minute the other server is asked anew whether they have changed.
        """
        self._forget()
        bringing = Bringing(source, self._fetcher, self._cache, self._stop)
        return self._outcome(source, bringing)

    def own(self, source: OwnBlobs, back_end: BackEnd) -> Path:
        """The same for blobs of this server; where nothing is, if there are none.

        They are looked at again each time that the outcome was told: who writes them expects so.
        """
        try:
            return self._outcome(source, OwnBringing(source, back_end, self._cache, self._stop))
        finally:
            if self._known[_name(source)].outcome.done():
                del self._known[_name(source)]

    def _outcome(self, source: Source | OwnBlobs, bringing: Bringing | OwnBringing) -> Path:
        """Start it unless it was started, and tell how it ended."""
        asked = self._known.get(_name(source))
        if asked is None:
            asked = _Asked(bringing.progress, self._pool.submit(bringing.run))
            self._known[_name(source)] = asked
        if not asked.outcome.done():
            raise StillFetching(source, asked.progress)
        try:
            return asked.outcome.result()
        except FetchError as error:
            raise SpecError(error.code, error.message) from error
        except OSError as error:
            message = f"{source.shown!r} was fetched and cannot be stored: {error}."
            raise SpecError(NOT_REACHABLE, message) from error

    async def close(self) -> None:
        """Stop what is on its way; it goes on where it is, when it is asked for again."""
        self._stop.set()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    def _forget(self) -> None:
        """Outcomes that are no longer believed."""
        now = time.monotonic()
        old = [name for name, asked in self._known.items() if asked.is_old(now)]
        for name in old:
            del self._known[name]


class _Asked:
    """A source that was asked for, with its outcome."""

    def __init__(self, progress: Progress, outcome: Future[Path]) -> None:
        self.progress, self.outcome, self._ended = progress, outcome, 0.0

    def is_old(self, now: float) -> bool:
        if not self.outcome.done():
            return False
        self._ended = self._ended or now
        return now - self._ended > FRESH_S


def _name(source: Source | OwnBlobs) -> str:
    """With the signature, but not readable: another signature may see other things."""
    secret = getattr(source, "signature", "")
    return hashlib.sha256(f"{source!r} {secret}".encode()).hexdigest()
