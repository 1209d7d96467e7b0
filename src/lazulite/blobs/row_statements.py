"""The statements that every put and get of a blob runs, prepared once.

SQLAlchemy writes them; SQLite gets them without it, which is several times as fast.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from lazulite.blobs.details import Details
from lazulite.blobs.values import Properties, Stamp
from lazulite.store.blob_tables import blobs
from lazulite.store.database import compact_json, read_json

PROPERTIES = tuple(field.name for field in dataclasses.fields(Properties))
JSON = tuple(column.name for column in blobs.columns if isinstance(column.type, sa.JSON))
NOTHING = dict.fromkeys(blobs.columns.keys())
NAMED = sqlite.dialect(paramstyle="named")

OF_BLOB = sa.delete(blobs).where(blobs.c.key == sa.bindparam("of"))
STALE = OF_BLOB.where(
    sa.or_(blobs.c.size != sa.bindparam("kept"), blobs.c.mtime_ns != sa.bindparam("kept_ns"))
)
_PROPERTIES_OF_VERSION = sa.select(*(blobs.c[name] for name in PROPERTIES)).where(
    blobs.c.key == sa.bindparam("of"),
    blobs.c.size == sa.bindparam("size"),
    blobs.c.mtime_ns == sa.bindparam("ns"),
)


def _text(statement: sa.sql.ClauseElement) -> str:
    return str(statement.compile(dialect=NAMED))


_DELETE, _INSERT, _SELECT = map(_text, (STALE, sa.insert(blobs), _PROPERTIES_OF_VERSION))


def announce(
    database: sqlite3.Connection, news: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Remove stale rows and add new ones. news: what STALE wants, and values of columns."""
    database.executemany(_DELETE, [stale for stale, _ in news])
    database.executemany(_INSERT, [_encoded(row) for _, row in news])


def properties_of(database: sqlite3.Connection, key: str, stamp: Stamp) -> Properties | None:
    """What the row of one version says; None if there is none."""
    asked = {"of": key, "size": stamp.size, "ns": stamp.mtime_ns}
    row = database.execute(_SELECT, asked).fetchone()
    if row is None:
        return None
    said = dict(zip(PROPERTIES, row, strict=True))
    for name in JSON:
        if said.get(name) is not None:
            said[name] = read_json(said[name])
    return properties_from(said)


def properties_from(said: Mapping[str, Any]) -> Properties:
    """The properties in a row."""
    values = {name: said[name] for name in PROPERTIES}
    return Properties(**{**values, "details": Details.from_json(values["details"])})


def _encoded(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: compact_json(row[name]) for name in JSON if row[name] is not None}
    return {**NOTHING, **row, **texts}
