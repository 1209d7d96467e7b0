"""Connections that only read: whoever asks waits for one that is free."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]


class Reader(Protocol):
    """Whom rows are asked of."""

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query. Blocks."""


class Readers:
    """Each connection serves one thread at a time. close() them."""

    def __init__(self, connections: Sequence[sqlite3.Connection]) -> None:
        """connections: may be used from any thread."""
        self._all = connections
        self._free: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for connection in connections:
            self._free.put(connection)

    @contextlib.contextmanager
    def until(self, end: float) -> Iterator[sqlite3.Connection]:
        """A connection whose queries raise sqlite3.OperationalError after the end.

        end: of time.monotonic(). Raises that error, too, if none is free until then.
        """
        try:
            connection = self._free.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty as error:
            raise sqlite3.OperationalError("others are being answered") from error
        try:
            connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
            yield connection
        finally:
            self._free.put(connection)

    def close(self) -> None:
        """Close each once it is free. Safe to repeat."""
        for _ in self._all:
            self._free.get().close()
        for connection in self._all:
            self._free.put(connection)
