"""What callers ask of the store: a few questions at a time, in threads that do nothing else.

So whoever asks much waits for their own answers, and nothing else of the server does.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.responses import Response

from lazulite.core.errors import ArmError
from lazulite.telemetry.readers import Reader, Readers, Row
from lazulite.telemetry.store import ASKED_AT_ONCE, PATIENCE_S, TelemetryStore

MOST_BYTES = 32 << 20
"""Of the rows that one query gives."""
_NUMBER_BYTES = 8
_T = TypeVar("_T")


class Questions:
    """close() it before the store."""

    def __init__(self, store: TelemetryStore) -> None:
        """store: stays the caller's."""
        self._readers = store.asked
        self._threads = ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="telemetry")

    async def answer(self, ask: Callable[[Reader], _T]) -> _T:
        """What it makes of the rows that it reads. ask: runs in a thread.

        Raises what it raises; ArmError 504 if that takes more than PATIENCE_S from now on, and 400
        for rows of more than MOST_BYTES.
        """
        reader = Patience(self._readers, time.monotonic() + PATIENCE_S)
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask, reader)

    def close(self) -> None:
        """Answer none that waits. Blocks until those are done that are being answered."""
        self._threads.shutdown(cancel_futures=True)


class Patience:
    """Reads until a moment, and so much."""

    def __init__(self, readers: Readers, end: float) -> None:
        """end: of time.monotonic()."""
        self._readers, self._end = readers, end

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query. Raises ArmError 504 or 400. Blocks."""
        try:
            with self._readers.until(self._end) as connection:
                return list(_bounded(connection.execute(statement, values)))
        except sqlite3.OperationalError as error:
            raise _refused(error) from error


def _refused(error: sqlite3.OperationalError) -> Exception:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_INTERRUPT)  # or none was free in time
    if code == sqlite3.SQLITE_INTERRUPT:
        message = f"The query was given up ({error}): ask for a shorter time or fewer rows."
        return ArmError("QueryTimeout", message, 504)
    if code == sqlite3.SQLITE_ERROR:  # of the statement, not of the file
        message = f"The query is too much at once ({error}): use fewer operators or parentheses."
        return ArmError("BadArgumentError", message)
    return error


def _bounded(rows: sqlite3.Cursor) -> Iterator[Row]:
    size = 0
    for row in rows:
        size += sum(len(value) if isinstance(value, str) else _NUMBER_BYTES for value in row)
        if size > MOST_BYTES:
            message = (
                f"The answer is larger than {MOST_BYTES >> 20} MiB: ask for a shorter time, fewer "
                "rows (take), or only the columns that you need (project)."
            )
            raise ArmError("QueryResultTooLarge", message)
        yield row


def encoded(answer: Any) -> Response:
    """The answer as JSON. Done in small pieces, so that other threads go on meanwhile."""
    return Response("".join(_pieces(answer)), media_type="application/json")


def _pieces(value: Any) -> Iterator[str]:
    children = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list) or not any(map(_is_nested, children)):
        yield json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    elif isinstance(value, dict):
        for number, (name, child) in enumerate(value.items()):
            yield f"{',' if number else '{'}{json.dumps(name)}:"
            yield from _pieces(child)
        yield "}"
    else:
        for number, child in enumerate(value):
            yield "," if number else "["
            yield from _pieces(child)
        yield "]"


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)
