"""Threads for transfers, which end when the person at the terminal says so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from lazulite.cli.http import Http


@contextmanager
def threads(count: int, http: Http) -> Iterator[ThreadPoolExecutor]:
    """A pool whose work is done when the block ends.

    After an error nothing more is begun; after Ctrl-C what is under way is cut off, too, so that
    nobody waits for it.
    """
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            http.abort()
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()
