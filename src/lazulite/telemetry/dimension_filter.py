"""The $filter of metrics: which series count, and which dimensions they are shown by.

    deployment eq 'blue' and (statusCode eq '200' or statusCode eq '429') and modelStatusCode eq '*'

A dimension that is compared with eq splits the answer; '*' stands for every value.
Source: Azure's REST reference, Metrics - List.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import NoReturn

from lazulite.core.errors import ArmError
from lazulite.telemetry.metrics import Metric

LONGEST = 2000  # characters
_TOKEN = re.compile(r"\s*(?:(?P<mark>[()])|'(?P<text>(?:[^']|'')*)'|(?P<word>[A-Za-z_]\w*))")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One dimension and a value."""

    dimension: str
    is_equal: bool
    value: str

    def holds(self, series: Mapping[str, str]) -> bool:
        """Whether a series is meant."""
        found = series.get(self.dimension, "").casefold()
        return self.value == "*" or (found == self.value.casefold()) == self.is_equal


@dataclasses.dataclass(frozen=True)
class DimensionFilter:
    """All of the groups must hold, of each one comparison."""

    groups: tuple[tuple[Comparison, ...], ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The dimensions that split the answer."""
        equal = [each.dimension for group in self.groups for each in group if each.is_equal]
        return tuple(dict.fromkeys(equal))

    def holds(self, series: Mapping[str, str]) -> bool:
        """Whether a series counts."""
        return all(any(each.holds(series) for each in group) for group in self.groups)


def parse_filter(text: str, metric: Metric) -> DimensionFilter:
    """Read it. Raises ArmError 400 that names the place or the dimension that is not the metric's.

    Names of dimensions compare without case.
    """
    if len(text) > LONGEST:
        raise ArmError("BadRequest", f"The filter is longer than {LONGEST} characters.")
    tokens = _tokens(text)
    groups: list[tuple[Comparison, ...]] = []
    place = 0
    while place < len(tokens):
        if groups:
            place = _expect(tokens, place, "and", text)
        group, place = _group(tokens, place, metric, text)
        groups.append(group)
    return DimensionFilter(tuple(groups))


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            _refuse(text, text[place:])
        found.append((match.lastgroup, match[match.lastgroup].replace("''", "'")))
        place = match.end()
    return found


def _group(
    tokens: list[tuple[str, str]], place: int, metric: Metric, text: str
) -> tuple[tuple[Comparison, ...], int]:
    """A comparison, or several with `or` between them, in parentheses or not."""
    opened = place < len(tokens) and tokens[place] == ("mark", "(")
    one, place = _comparison(tokens, place + opened, metric, text)
    found = [one]
    while place < len(tokens) and tokens[place][1].lower() == "or":
        one, place = _comparison(tokens, place + 1, metric, text)
        found.append(one)
    return tuple(found), _expect(tokens, place, ")", text) if opened else place


def _comparison(
    tokens: list[tuple[str, str]], place: int, metric: Metric, text: str
) -> tuple[Comparison, int]:
    three = tokens[place : place + 3]
    if [kind for kind, _ in three] != ["word", "word", "text"]:
        _refuse(text, " ".join(said for _, said in three) or "its end")
    name, operator, value = (said for _, said in three)
    if operator.lower() not in {"eq", "ne"}:
        _refuse(text, operator)
    known = {dimension.casefold(): dimension for dimension in metric.dimensions}
    if name.casefold() not in known:
        has = ", ".join(metric.dimensions) or "none"
        message = f"{metric.name} has no dimension {name!r}; it has: {has}."
        raise ArmError("BadRequest", message, target="$filter")
    is_equal = operator.lower() == "eq"
    return Comparison(known[name.casefold()], is_equal, value), place + 3


def _expect(tokens: list[tuple[str, str]], place: int, word: str, text: str) -> int:
    if place >= len(tokens) or tokens[place][1].lower() != word:
        _refuse(text, tokens[place][1] if place < len(tokens) else "its end")
    return place + 1


def _refuse(text: str, where: str) -> NoReturn:
    message = (
        f"The filter {text[:200]!r} makes no sense at {where[:50]!r}: write dimension eq 'value' "
        "or dimension ne 'value', with and between, or with or between those of one dimension."
    )
    raise ArmError("BadRequest", message, target="$filter")
