"""Lists as conditions and orders of one query, and pages that start behind the last row shown.

A page is found by what it follows (a keyset), not by counting: it costs the same wherever it is
in a list, and writes between two pages neither repeat nor skip what was there all along.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lazulite.core.ids import fold
from lazulite.store.schema import resources

ROW = resources.c
Condition = sa.ColumnElement[bool]


@dataclasses.dataclass(frozen=True)
class Order:
    """By a column, and by key where that is the same."""

    column: str = "created_at"
    descending: bool = False

    @property
    def by(self) -> sa.ColumnElement[Any]:
        """What is compared first: a name that is no number comes before those that are."""
        return sa.func.coalesce(ROW.number, -1) if self.column == "number" else ROW[self.column]

    def number_of(self, name: str) -> int:
        """What ordering by number compares of a name."""
        number = as_number(name)
        return -1 if number is None else number

    def clauses(self) -> tuple[sa.UnaryExpression[Any], ...]:
        """For ORDER BY."""
        columns = (self.by, ROW.key)
        return tuple(one.desc() if self.descending else one.asc() for one in columns)

    def behind(self, place: Place) -> Condition:
        """Only what follows that place."""
        here = sa.tuple_(self.by, ROW.key)
        there = sa.tuple_(sa.literal(place.value, self.by.type), sa.literal(place.key))
        return here < there if self.descending else here > there


OLDEST_FIRST, NEWEST_FIRST = Order(), Order(descending=True)


@dataclasses.dataclass(frozen=True)
class Place:
    """The last row of a page: what the order compares of it, and its key."""

    value: datetime | str | int
    key: str


def right_under(parent: str, resource_type: str) -> tuple[Condition, ...]:
    """Those of a type whose enclosing resource that is."""
    return ROW.parent == fold(parent), ROW.resource_type == resource_type, ROW.gone_at.is_(None)


def anywhere_below(under: str, resource_type: str = "") -> tuple[Condition, ...]:
    """Those below an id at any depth; "" for everywhere; of one type, if it is given."""
    key = fold(under)  # "0" is the character behind "/"
    below = (ROW.key > f"{key}/", ROW.key < f"{key}0") if under else ()
    typed = (ROW.resource_type == resource_type,) if resource_type else ()
    return *typed, *below, ROW.gone_at.is_(None)


def as_number(name: str) -> int | None:
    """The number that a name is, so that versions can be counted on; None for other names."""
    return int(name) if name.isascii() and name.isdigit() and len(name) <= 18 else None
