"""The database of what is observed: apart from that of resources, as none of it must be durable.

One SQLite file in WAL mode without a sync per commit: a power cut may cost the last seconds, a
kill nothing. A row of traffic costs 3 us to write and 160 bytes. A file of another layout is begun
anew. Methods block, and may be called from any thread.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lazulite.telemetry.metrics import Merge, Point
from lazulite.telemetry.places import Place
from lazulite.telemetry.readers import Readers
from lazulite.telemetry.tables import TABLES

LAYOUT = 1
"""Raised when the tables change."""
PATIENCE_S = 20.0
"""Longer than any query may take, with the time that it waits for its turn."""
ASKED_AT_ONCE = 2
"""Queries of callers; more would only share the processors of a laptop."""

_STATEMENTS = (
    "CREATE TABLE IF NOT EXISTS places (number INTEGER PRIMARY KEY, id TEXT NOT NULL, "
    "endpoint TEXT, deployment TEXT, subscription TEXT, workspace TEXT, workspace_uid TEXT, "
    "location TEXT, UNIQUE (id, workspace_uid))",
    "CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS metrics (resource TEXT NOT NULL, metric TEXT NOT NULL, "
    "at INTEGER NOT NULL, dimensions TEXT NOT NULL, count REAL NOT NULL, total REAL NOT NULL, "
    "minimum REAL NOT NULL, maximum REAL NOT NULL, "
    "PRIMARY KEY (resource, metric, at, dimensions)) WITHOUT ROWID",
    *(statement for table in TABLES.values() for statement in table.statements()),
)

Rows = Mapping[str, Sequence[tuple[Any, ...]]]
"""By table: (milliseconds since 1970, place, the stored columns in order)."""


class TelemetryStore:
    """One file. close() it."""

    def __init__(self, path: Path) -> None:
        """Open or make the file."""
        self._path, self._lock = path, threading.Lock()
        self._writer = self._open()
        if self._writer.execute("PRAGMA user_version").fetchone()[0] not in {0, LAYOUT}:
            self._begin_anew()
        for statement in _STATEMENTS:
            self._writer.execute(statement)
        self._writer.execute(f"PRAGMA user_version={LAYOUT}")
        self._own = Readers([self._open()])
        self.asked = Readers([self._open() for _ in range(ASKED_AT_ONCE)])
        """For what callers ask: the server's own reading does not wait for them."""

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        self.asked.close()
        self._own.close()
        with self._lock:
            self._writer.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, alone: all of it is written, or nothing."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises sqlite3.Error, also if it takes longer than PATIENCE_S."""
        with self._own.until(time.monotonic() + PATIENCE_S) as connection:
            return connection.execute(statement, values).fetchall()

    def mark(self, name: str) -> Any:
        """What was kept under a name; None if nothing was."""
        found = self.read("SELECT value FROM marks WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def write(
        self, rows: Rows, points: Iterable[Point] = (), marks: Mapping[str, Any] | None = None
    ) -> None:
        """Add log rows and metrics, and note how far their sources were read, all or none."""
        with self.writing() as tx:
            for name, added in rows.items():
                columns = ", ".join(f'"{column}"' for column in TABLES[name].stored)
                places = ", ".join("?" * (2 + len(TABLES[name].stored)))
                insert = f"INSERT INTO rows_{name} (at, place, {columns}) VALUES ({places})"  # noqa: S608
                tx.executemany(insert, added)
            add_points(tx, points)
            for name, value in (marks or {}).items():
                text = json.dumps(value, separators=(",", ":"))
                tx.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, text))

    def place(self, place: Place) -> int:
        """The number that stands for a place in rows. The same one for the same place."""
        with self.writing() as tx:
            fields = ", ".join(Place._fields)
            tx.execute(
                f"INSERT OR IGNORE INTO places ({fields}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                place,
            )
            found = "SELECT number FROM places WHERE id = ? AND workspace_uid = ?"
            return int(tx.execute(found, (place.id, place.workspace_uid)).fetchone()[0])

    def used_bytes(self) -> int:
        """What rows take up; the file may be larger for a while."""
        used, free, size = (
            self.read(f"PRAGMA {name}")[0][0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((used - free) * size)

    def shrink(self, pages: int) -> None:
        """Give at most so many unused pages back to the disk."""
        with self._lock:
            self._writer.execute(f"PRAGMA incremental_vacuum({pages:d})").fetchall()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, 10, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    def _begin_anew(self) -> None:
        self._writer.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        self._writer = self._open()


_INSERT = "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_MERGED = {
    Merge.SAMPLE: "count = count + excluded.count, total = total + excluded.total, "
    "minimum = MIN(minimum, excluded.minimum), maximum = MAX(maximum, excluded.maximum)",
    Merge.SUM: "total = total + excluded.total, minimum = total + excluded.total, "
    "maximum = total + excluded.total",
    Merge.FINAL: "count = excluded.count, total = excluded.total, minimum = excluded.minimum, "
    "maximum = excluded.maximum",
}


def add_points(tx: sqlite3.Connection, points: Iterable[Point]) -> None:
    """Add to what is there of the same minutes and series."""
    for point in points:
        tx.execute(f"{_INSERT} ON CONFLICT DO UPDATE SET {_MERGED[point.merge]}", point.row())
