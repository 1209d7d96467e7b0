"""What is kept how long: logs by age and size, metrics in coarser steps as they age.

A day of minutes becomes hours after two days, so that charts have a quarter's history for little.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from lazulite.telemetry.spans import milliseconds
from lazulite.telemetry.store import TelemetryStore
from lazulite.telemetry.tables import TABLES, TEXT, Table

MINUTES_FOR = timedelta(days=2)
HOUR_MS = 3_600_000
_SHARE = 10  # the oldest tenth goes at a time
_ROUNDS = 10
_PAGES = 2000  # given back to the disk at a time
_SAMPLES = 500  # rows that are measured of a table
_NUMBER_BYTES = 2
_ROW_BYTES = 40  # its number, time and place, in the table and in the index by time


@dataclasses.dataclass(frozen=True)
class Keep:
    """None: for ever, or whatever size."""

    logs: timedelta | None
    size: int | None
    """Bytes of the log tables; metrics go by age alone."""
    metrics: timedelta | None


def tidy(store: TelemetryStore, keep: Keep, now: datetime) -> int:
    """Remove what is too old or too much; how many rows of logs went. Blocks. Safe to repeat."""
    gone = 0
    if keep.logs is not None:
        gone += _older(store, milliseconds(now - keep.logs))
    if keep.metrics is not None:
        with store.writing() as tx:
            tx.execute("DELETE FROM metrics WHERE at < ?", (milliseconds(now - keep.metrics),))
    _coarsen(store, milliseconds(now - MINUTES_FOR) // HOUR_MS * HOUR_MS)
    for _ in range(_ROUNDS):
        if keep.size is None or _log_bytes(store, keep.size) <= keep.size:
            break
        if not (removed := _oldest(store)):
            break
        gone += removed
    store.shrink(_PAGES)
    return gone


def _older(store: TelemetryStore, before: int) -> int:
    gone = 0
    with store.writing() as tx:
        for name in TABLES:
            found = tx.execute(f"DELETE FROM rows_{name} WHERE at < ?", (before,))  # noqa: S608
            gone += found.rowcount
    return gone


def _log_bytes(store: TelemetryStore, size: int) -> int:
    """What the logs take up, about; or what the file does if that is no more than the size."""
    used = store.used_bytes()
    return used if used <= size else sum(_table_bytes(store, table) for table in TABLES.values())


def _table_bytes(store: TelemetryStore, table: Table) -> int:
    """From the mean of some rows that lie evenly between the first and the last."""
    rows = f"rows_{table.name}"
    count, first, last = store.read(f"SELECT COUNT(*), MIN(number), MAX(number) FROM {rows}")[0]  # noqa: S608
    if not count:
        return 0
    chosen = range(first, last + 1, max(1, (last - first) // _SAMPLES))
    lengths = [
        f'IFNULL(LENGTH(CAST("{name}" AS BLOB)), 0)' if kind == TEXT else str(_NUMBER_BYTES)
        for name, kind in table.stored.items()
    ]
    mean = store.read(
        f"SELECT AVG({' + '.join(lengths)}) FROM {rows} "  # noqa: S608 - names from TABLES
        f"WHERE number IN ({', '.join(map(str, chosen))})"
    )[0][0]
    return int(count * ((mean or 0) + len(lengths) + _ROW_BYTES))


def _oldest(store: TelemetryStore) -> int:
    """The oldest rows of the longest table."""
    counts = {
        name: store.read(f"SELECT COUNT(*) FROM rows_{name}")[0][0]  # noqa: S608
        for name in TABLES
    }
    name = max(counts, key=lambda each: counts[each])
    if not counts[name]:
        return 0
    most = -(-counts[name] // _SHARE)
    chosen = f"SELECT number FROM rows_{name} ORDER BY number LIMIT ?"  # noqa: S608
    with store.writing() as tx:
        tx.execute(f"DELETE FROM rows_{name} WHERE number IN ({chosen})", (most,))  # noqa: S608
    return int(most)


def _coarsen(store: TelemetryStore, before: int) -> None:
    """Make one row of all that a series has in an hour, of hours that ended before then."""
    chosen = "FROM metrics WHERE at < ? AND at >= ? AND at % 3600000 <> 0"
    since = store.read("SELECT MIN(at) FROM metrics WHERE at % 3600000 <> 0")[0][0]
    if since is None or since >= before:
        return
    span = (before, since // HOUR_MS * HOUR_MS)
    with store.writing() as tx:
        merged = tx.execute(
            "SELECT resource, metric, at / 3600000 * 3600000, dimensions, SUM(count), SUM(total), "
            "MIN(minimum), MAX(maximum) FROM metrics WHERE at < ? AND at >= ? GROUP BY 1, 2, 3, 4",
            span,
        ).fetchall()
        tx.execute(f"DELETE {chosen}", span)
        tx.executemany("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?)", merged)
