"""Questions to the log tables: by a Kusto query, or by what is usually asked for."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from lazulite.core.errors import ArmError
from lazulite.core.ids import fold
from lazulite.store.resources import Json
from lazulite.telemetry.kusto import translate
from lazulite.telemetry.readers import Reader
from lazulite.telemetry.spans import Span, iso
from lazulite.telemetry.tables import TABLES, TIME

MOST = 1000
"""Rows of one page."""


def ask(reader: Reader, query: str, scope: str, span: Span | None, now: datetime) -> Json:
    """Log Analytics' answer: {"tables": [{"name", "columns", "rows"}]}. Blocks.

    scope: the ARM id of a workspace, endpoint or deployment whose rows are meant, and those below.
    Raises ArmError 400.
    """
    condition, values = _below(scope)
    if span is not None:
        condition += " AND TimeGenerated >= ? AND TimeGenerated < ?"
        values += span
    statement = translate(query, now, (condition, values))
    rows = reader.read(statement.sql, statement.values)
    types = list(statement.columns.values())
    return {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [
                    {"name": name, "type": kind} for name, kind in statement.columns.items()
                ],
                "rows": [[_shown(*each) for each in zip(row, types, strict=True)] for row in rows],
            }
        ]
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """Rows of one table; "" and None: whatever it is."""

    table: str
    scope: str
    endpoint: str = ""
    deployment: str = ""
    instance: str = ""
    levels: tuple[str, ...] = ()
    text: str = ""
    span: Span | None = None
    after: int | None = None
    """The number of a row: only later ones."""
    before: int | None = None
    """Only earlier ones."""
    top: int = 100


def page(reader: Reader, asked: Question) -> list[Json]:
    """Rows in the order they came: the first behind `after`, else the last of all. Blocks.

    Each has its number as `number`. Raises ArmError 400 for a table or level that is not there.
    """
    table = TABLES.get(asked.table)
    if table is None:
        message = f"There is no table {asked.table!r}: there are {', '.join(TABLES)}."
        raise ArmError("BadArgumentError", message, target="table")
    condition, values = _conditions(asked, table.text)
    columns = ", ".join(["number", *(f'"{name}"' for name in table.columns)])
    order = "ASC" if asked.after is not None else "DESC"
    sql = (
        f"SELECT {columns} FROM {table.name} WHERE {condition} "  # noqa: S608 - names from TABLES
        f"ORDER BY number {order} LIMIT {min(asked.top, MOST)}"
    )
    rows = reader.read(sql, values)
    types = {"number": "int", **table.columns}
    shown = [
        {name: _shown(value, types[name]) for name, value in zip(types, row, strict=True)}
        for row in rows
    ]
    return shown if asked.after is not None else shown[::-1]


def _conditions(asked: Question, text_column: str) -> tuple[str, list[Any]]:
    condition, values = _below(asked.scope)
    if asked.levels and "Level" not in TABLES[asked.table].columns:
        message = f"{asked.table} has no levels: ask for them of the other tables."
        raise ArmError("BadArgumentError", message, target="level")
    for column, value in (
        ("EndpointName", asked.endpoint),
        ("DeploymentName", asked.deployment),
        ("InstanceId", asked.instance),
    ):
        if value:
            condition, values = f"{condition} AND {column} = ? COLLATE NOCASE", [*values, value]
    if asked.levels:
        places = ", ".join("?" * len(asked.levels))
        condition, values = f"{condition} AND Level IN ({places})", [*values, *asked.levels]
    if asked.text:
        condition = f"{condition} AND instr(lower({text_column}), lower(?)) > 0"
        values = [*values, asked.text]
    if asked.span is not None:
        condition = f"{condition} AND TimeGenerated >= ? AND TimeGenerated < ?"
        values = [*values, *asked.span]
    for sign, number in ((">", asked.after), ("<", asked.before)):
        if number is not None:
            condition, values = f"{condition} AND number {sign} ?", [*values, number]
    return condition, values


def _below(scope: str) -> tuple[str, list[Any]]:
    """A condition: the place is the scope, or lies below it."""
    places = "place IN (SELECT number FROM places WHERE lower(id) = ? OR lower(id) GLOB ?)"
    glob = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in fold(scope))
    return places, [fold(scope), f"{glob}/*"]


def _shown(value: Any, kind: str) -> Any:
    return iso(value) if kind == TIME and isinstance(value, int) else value
