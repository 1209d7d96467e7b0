"""What a list of a kind can be asked: filters by name of the query, each a condition of SQL.

Source: spec/REST.md 2.6. A query name that a kind does not declare is ignored, as Azure does.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from lazulite.core.errors import ArmError
from lazulite.store.pages import ROW, Condition

TAG = re.compile(
    r"\s*tagname\s+eq\s+'((?:[^']|'')*)'(?:\s+and\s+tagvalue\s+eq\s+'((?:[^']|'')*)')?\s*",
    re.IGNORECASE,
)
Filter = Callable[[str], Condition]
LARGEST_PAGE = 1000
MOST_TERMS = 100
"""Names or pairs in one filter."""


def view_of(field: str, *, true: str, others: str, usual: str) -> Filter:
    """ListViewType over a property that is true or not.

    true, others: the names of the two views, besides All; usual: which one is meant by none.
    """
    value = ROW.properties[field].as_boolean()
    views: dict[str, Condition] = {
        others.lower(): value.is_not(sa.true()),
        true.lower(): value.is_(sa.true()),
        "all": sa.true(),
    }

    def condition(text: str) -> Condition:
        view = views.get((text or usual).lower())
        if view is None:
            message = f"listViewType is {text!r}: it is {true}, {others} or All."
            raise ArmError("BadArgument", message, target="listViewType")
        return view

    return condition


in_view = view_of("isArchived", true="ArchivedOnly", others="ActiveOnly", usual="ActiveOnly")
"""What is not archived, unless the caller says."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listing:
    """How the lists of a kind are filtered and how large their pages are."""

    filters: Mapping[str, Filter] = dataclasses.field(default_factory=dict)
    """By the query's name, in lower case. Each raises ArmError 400 for what it cannot mean."""
    size: int = LARGEST_PAGE
    """Items of a page, unless the caller says."""
    across: frozenset[str] = frozenset()
    """Filters that look through the whole workspace, whatever name the path has."""
    view: Filter = in_view
    """What listViewType means; asked with "" when the query has none."""

    def conditions(self, query: Mapping[str, str]) -> list[Condition]:
        """What the query asks for. Raises ArmError 400."""
        asked = [self.filters[name](query[name]) for name in query if name in self.filters]
        return [self.view(query.get("listviewtype", "")), *asked]

    def is_across(self, query: Mapping[str, str]) -> bool:
        """Whether the query looks through the whole workspace."""
        return any(query.get(name) for name in self.across)


def by_names(text: str) -> Condition:
    """One name or several with commas, in any case; an empty text filters nothing."""
    names = [name.casefold() for name in _terms(text)]
    return ROW.name.in_(names) if names else sa.true()


def in_name(text: str) -> Condition:
    """Part of the name, in any case."""
    return ROW.name.contains(text.casefold(), autoescape=True)


def in_text(field: str) -> Filter:
    """Part of a text property, in any case of ASCII letters."""
    value = sa.func.lower(ROW.properties[field].as_string())
    return lambda text: value.contains(text.lower(), autoescape=True)


def exactly(*path: str) -> Filter:
    """The text at a path of dictionaries in the properties."""
    value = ROW.properties[path].as_string()
    return lambda text: value == text


def same(field: str, otherwise: str = "") -> Filter:
    """The value of a property in any case; otherwise: that of rows without it."""
    value = sa.func.lower(sa.func.coalesce(ROW.properties[field].as_string(), otherwise))
    return lambda text: value == text.lower()


def pairs(field: str, *, top: bool = False) -> Filter:
    """Keys of a dictionary, or keys with values: "key1,key2=value". top: beside properties."""

    def condition(text: str) -> Condition:
        return sa.and_(sa.true(), *(_pair(field, term, top=top) for term in _terms(text)))

    return condition


def by_tag(text: str) -> Condition:
    """`tagName eq 'a'`, or `tagName eq 'a' and tagValue eq 'b'`; an empty text filters nothing.

    Source: the REST API's Resource Groups - List, $filter. Names of tags in their own case.
    """
    if not text.strip():
        return sa.true()
    if (found := TAG.fullmatch(text)) is None:
        rule = "write tagName eq 'a', or tagName eq 'a' and tagValue eq 'b'."
        message = f"The $filter {text!r} is not understood: {rule}"
        raise ArmError("InvalidFilterInQueryString", message, target="$filter")
    key, value = (part and part.replace("''", "'") for part in found.groups())
    return _has(ROW.envelope, "tags", key, value)


def _pair(field: str, term: str, *, top: bool) -> Condition:
    key, equals, value = (part.strip() for part in term.partition("="))
    return _has(ROW.envelope if top else ROW.properties, field, key, value if equals else None)


def _has(column: Any, field: str, key: str, value: str | None) -> Condition:
    """Whether a dictionary has the key, with that value or with any."""
    if '"' in key or "\\" in key:
        return sa.false()  # such a key has no path in SQL
    found = column[field, key].as_string()
    there: Condition = found.is_not(None) if value is None else found == value
    return there


def _terms(text: str) -> list[str]:
    terms = [term.strip() for term in text.split(",") if term.strip()]
    if len(terms) > MOST_TERMS:
        raise ArmError("BadArgument", f"A filter has {len(terms)} terms: at most {MOST_TERMS}.")
    return terms
