"""The part of the Kusto query language that is answered, as one SQL statement.

    Table | where ... | project ... | summarize count() by ... | order by ... | take ...

Each operator reads what the one before gives. Everything else is refused by its name.
Source: Azure's reference of the Kusto query language.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lazulite.core.errors import ArmError
from lazulite.telemetry.kusto_tokens import Tokens
from lazulite.telemetry.tables import INTEGER, TABLES, TEXT, TIME

MOST_ROWS = 30_000
MOST_OPERATORS = 12  # each is a query within the next
DEEPEST = 50  # parentheses and nots
_ORDERED = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_LIKE = {"contains": "%{}%", "has": "%{}%", "startswith": "{}%", "endswith": "%{}"}
_WHOLE = re.compile(r"-?[0-9]+")
_OPERATORS = "where, project, take, limit, top, order by, sort by, count, summarize count()"


@dataclasses.dataclass
class Statement:
    """A query in SQL. columns: what it gives, and the types."""

    table: str
    sql: str
    values: list[Any]
    columns: dict[str, str]


def translate(text: str, now: datetime, scope: tuple[str, list[Any]]) -> Statement:
    """The statement of a query. Raises ArmError 400.

    scope: a condition on the rows of the table and its values, which no query gets around.
    """
    return _Translation(Tokens(text, now), scope).run()


class _Translation:
    """Reads a query from left to right."""

    def __init__(self, tokens: Tokens, scope: tuple[str, list[Any]]) -> None:
        self._tokens, self._scope, self._depth = tokens, scope, 0

    def run(self) -> Statement:
        known = {name.casefold(): name for name in TABLES}
        name = self._tokens.word()
        if name.casefold() not in known:
            message = f"There is no table {name!r}: there are {', '.join(TABLES)}."
            raise ArmError("BadArgumentError", message)
        table = known[name.casefold()]
        columns = TABLES[table].columns
        shown = ", ".join(f'"{column}"' for column in columns)
        condition, values = self._scope
        sql = f"SELECT {shown} FROM {table} WHERE {condition}"  # noqa: S608 - names from TABLES
        self._made = Statement(table, sql, list(values), dict(columns))
        count = 0
        while self._tokens.takes("|"):
            count += 1
            if count > MOST_OPERATORS:
                self._tokens.refuse(f"more than {MOST_OPERATORS} operators are too many")
            self._operator()
        if self._tokens.next.kind != "end":
            self._tokens.refuse("an operator begins with |")
        self._wrap("*", f" LIMIT {MOST_ROWS}")
        return self._made

    def _operator(self) -> None:
        tokens = self._tokens
        if tokens.takes("where"):
            self._made.sql = f"SELECT * FROM ({self._made.sql}) WHERE {self._either()}"  # noqa: S608
        elif tokens.takes("project"):
            self._project()
        elif tokens.takes("take") or tokens.takes("limit"):
            self._wrap("*", f" LIMIT {self._number()}")
        elif tokens.takes("top"):
            count = self._number()
            tokens.expect("by")
            self._wrap("*", f" ORDER BY {self._ordering()} LIMIT {count}")
        elif tokens.takes("order", "by") or tokens.takes("sort", "by"):
            self._wrap("*", f" ORDER BY {self._ordering()}")
        elif tokens.takes("count"):
            self._wrap('COUNT(*) AS "Count"', "")
            self._made.columns = {"Count": INTEGER}
        elif tokens.takes("summarize"):
            self._summarize()
        else:
            tokens.refuse(f"the operators that are answered here are {_OPERATORS}")

    def _wrap(self, shown: str, rest: str) -> None:
        self._made.sql = f"SELECT {shown} FROM ({self._made.sql}){rest}"  # noqa: S608

    def _number(self) -> int:
        value = self._tokens.value()
        if not isinstance(value, int) or value < 0:
            self._tokens.refuse("a whole number of 0 or more is expected before it")
        return min(value, MOST_ROWS)

    def _project(self) -> None:
        shown: list[str] = []
        columns: dict[str, str] = {}
        while True:
            name = self._tokens.word()
            source = (
                self._column(self._tokens.word())
                if self._tokens.takes("=")
                else (self._column(name))
            )
            label = name if name.casefold() != source.casefold() else source
            shown.append(f'"{source}" AS "{label}"')
            self._check_new(label, columns)
            columns[label] = self._made.columns[source]
            if not self._tokens.takes(","):
                break
        self._wrap(", ".join(shown), "")
        self._made.columns = columns

    def _summarize(self) -> None:
        label = self._tokens.word()
        if self._tokens.takes("="):
            self._tokens.expect("count")
        elif label.lower() == "count":
            label = "count_"
        else:
            self._tokens.refuse(f"of summarize, count() is answered here, and not {label[:40]!r}")
        self._tokens.expect("(")
        self._tokens.expect(")")
        groups = self._groups() if self._tokens.takes("by") else []
        shown = [f'{expression} AS "{name}"' for name, expression in groups]
        by = ", ".join(expression for _, expression in groups)
        self._wrap(", ".join([*shown, f'COUNT(*) AS "{label}"']), f" GROUP BY {by}" if by else "")
        types: dict[str, str] = {}
        for name, _ in groups:
            self._check_new(name, types)
            types[name] = self._made.columns[name]
        self._check_new(label, types)
        self._made.columns = {**types, label: INTEGER}

    def _groups(self) -> list[tuple[str, str]]:
        found = []
        while True:
            if self._tokens.takes("bin", "("):
                name = self._column(self._tokens.word())
                self._tokens.expect(",")
                length = max(1, int(self._tokens.span().total_seconds() * 1000))
                self._tokens.expect(")")
                found.append((name, f'"{name}" / {length} * {length}'))
            else:
                name = self._column(self._tokens.word())
                found.append((name, f'"{name}"'))
            if not self._tokens.takes(","):
                return found

    def _ordering(self) -> str:
        found = []
        while True:
            column = self._column(self._tokens.word())
            descending = not self._tokens.takes("asc")
            self._tokens.takes("desc")
            found.append(f'"{column}" {"DESC" if descending else "ASC"}')
            if not self._tokens.takes(","):
                return ", ".join(found)

    def _either(self) -> str:
        found = [self._all()]
        while self._tokens.takes("or"):
            found.append(self._all())
        return f"({' OR '.join(found)})"

    def _all(self) -> str:
        found = [self._condition()]
        while self._tokens.takes("and"):
            found.append(self._condition())
        return f"({' AND '.join(found)})"

    def _condition(self) -> str:
        is_not = self._tokens.takes("not")
        if not is_not and self._tokens.next.said != "(":
            return self._comparison()
        self._depth += 1
        if self._depth > DEEPEST:
            self._tokens.refuse(f"more than {DEEPEST} parentheses are too many")
        self._tokens.expect("(")
        inner = self._either()
        self._tokens.expect(")")
        self._depth -= 1
        return f"NOT {inner}" if is_not else inner

    def _comparison(self) -> str:
        column = self._column(self._tokens.word())
        operator = self._tokens.take().said.lower()
        if operator in _ORDERED:
            return self._with(f'"{column}" {_ORDERED[operator]} ?', column)
        if operator in {"=~", "!~"}:
            sign = "=" if operator == "=~" else "<>"
            return self._with(f'"{column}" {sign} ? COLLATE NOCASE', column)
        if operator.lstrip("!").rstrip("~") == "in":
            return self._within(column, operator)
        word, negation = operator.lstrip("!"), "NOT " if operator.startswith("!") else ""
        if word not in _LIKE:
            self._tokens.refuse(f"the comparison {operator[:20]!r} before it is not answered here")
        pattern = _LIKE[word].format(_escaped(str(self._tokens.value())))
        self._made.values.append(pattern)
        return f"""IFNULL("{column}", '') {negation}LIKE ? ESCAPE '\\'"""

    def _with(self, condition: str, column: str) -> str:
        self._made.values.append(self._converted(self._tokens.value(), column))
        return condition

    def _within(self, column: str, operator: str) -> str:
        self._tokens.expect("(")
        count = 0
        while not self._tokens.takes(")"):
            if count:
                self._tokens.expect(",")
            self._made.values.append(self._converted(self._tokens.value(), column))
            count += 1
        negation = "NOT " if operator.startswith("!") else ""
        fold = " COLLATE NOCASE" if operator.endswith("~") else ""
        return f'"{column}"{fold} {negation}IN ({", ".join("?" * count)})'

    def _converted(self, value: Any, column: str) -> Any:
        """Numbers that were written as text are numbers: Azure's samples do so."""
        kind = self._made.columns[column]
        if kind in {INTEGER, TIME} and isinstance(value, str):
            if kind == INTEGER and _WHOLE.fullmatch(value):
                return self._tokens.whole(value)
            self._tokens.refuse(f"{column} is {kind}, and it is compared with {value[:40]!r}")
        return str(value) if kind == TEXT and not isinstance(value, str) else value

    def _check_new(self, label: str, columns: Iterable[str]) -> None:
        """Refuse a second column of a name, whatever its case: names are found in any case."""
        if label.casefold() in {column.casefold() for column in columns}:
            self._tokens.refuse(f"there are two columns {label[:60]!r} before it: name one anew")

    def _column(self, name: str) -> str:
        known = {column.casefold(): column for column in self._made.columns}
        if name.casefold() not in known:
            has = ", ".join(self._made.columns)
            message = f"There is no column {name!r} there: there are {has}."
            raise ArmError("BadArgumentError", message)
        return known[name.casefold()]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
