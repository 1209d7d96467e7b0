"""The part of OData's $filter and $orderby that clients of run history use.

Comparisons (eq, ne, gt, ge, lt, le) of a property with a literal, `and`, `or`, `not`, parentheses,
and contains, startswith, endswith. Names compare without case. Source: spec/REST.md 9.1.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from lazulite.core.errors import ArmError
from lazulite.store.resources import Json

Test = Callable[[Json], bool]
LONGEST = 10_000  # characters
DEEPEST = 50  # parentheses and nots

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<mark>[(),])"
    r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])|(?P<word>[^\s(),']+))"
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_CONSTANTS = {"true": True, "false": False, "null": None}


def matcher(text: str | None) -> Test:
    """Whether an item matches a filter; everything does if there is none.

    Raises ArmError 400 that says where the filter stops making sense. A property that an item does
    not have is null.
    """
    if not text or not text.strip():
        return lambda item: True
    if len(text) > LONGEST:
        raise ArmError("BadArgument", f"The filter is longer than {LONGEST} characters.")
    return _Parser(text).parse()


def ordering(text: str | None, default: str) -> tuple[Callable[[Json], str], bool]:
    """The property to sort by, as text, and whether descending: "createdUtc desc".

    Raises ArmError 400.
    """
    words = (text or default).split()
    if len(words) > 2 or (len(words) == 2 and words[1].lower() not in {"asc", "desc"}):
        message = f"{text!r} is no order: write one property, and asc or desc behind it."
        raise ArmError("BadArgument", message, target="orderBy")
    name = words[0]
    return lambda item: _sortable(_value(item, name)), words[-1].lower() == "desc"


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, end = text, list[tuple[str, str]](), 0
        while text[end:].strip():
            found = _TOKEN.match(text, end)
            if found is None:
                self._fail(f"cannot be read from {text[end:][:40]!r} on")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            end = found.end()
        self._tokens.reverse()

    def parse(self) -> Test:
        found = self._either(DEEPEST)
        if self._tokens:
            self._fail(f"has {self._tokens[-1][1]!r} where it should end")
        return found

    def _either(self, levels: int) -> Test:
        found = self._both(levels)
        while self._takes("or"):
            found = _or(found, self._both(levels))
        return found

    def _both(self, levels: int) -> Test:
        found = self._one(levels)
        while self._takes("and"):
            found = _and(found, self._one(levels))
        return found

    def _one(self, levels: int) -> Test:
        if not levels:
            self._fail(f"is nested more than {DEEPEST} levels deep")
        if self._takes("not"):
            return _not(self._one(levels - 1))
        if self._takes("("):
            found = self._either(levels - 1)
            self._expect(")")
            return found
        kind, word = self._next()
        if kind == "word" and word.lower() in _FUNCTIONS and self._takes("("):
            return self._function(word.lower())
        if kind != "word":
            self._fail(f"has {word!r} where the name of a property should be")
        return self._comparison(word)

    def _function(self, name: str) -> Test:
        _, path = self._next()
        self._expect(",")
        part = self._literal()
        self._expect(")")
        test = _FUNCTIONS[name]
        return lambda item: test(_folded_text(_value(item, path)), _folded_text(part))

    def _comparison(self, path: str) -> Test:
        _, word = self._next()
        if word.lower() not in _COMPARISONS:
            self._fail(f"has {word!r} where one of {', '.join(_COMPARISONS)} should be")
        compare, literal = _COMPARISONS[word.lower()], self._literal()
        return lambda item: _holds(compare, _value(item, path), literal)

    def _literal(self) -> Any:
        kind, word = self._next()
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return float(word)
        if kind == "time":
            return word
        if word.lower() not in _CONSTANTS:
            self._fail(f"has {word!r} where a value should be: texts stand in single quotes")
        return _CONSTANTS[word.lower()]

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            self._fail("ends too early")
        return self._tokens.pop()

    def _takes(self, word: str) -> bool:
        """Whether the next token is that word; then it is taken."""
        ahead = self._tokens[-1] if self._tokens else ("", "")
        if ahead[0] == "text" or ahead[1].lower() != word:
            return False
        self._tokens.pop()
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            self._fail(f"lacks a {word!r}")

    def _fail(self, problem: str) -> NoReturn:
        message = f"The filter {self._text[:200]!r} {problem}. Example: Status eq 'Completed'."
        raise ArmError("BadArgument", message, target="$filter")


def _or(first: Test, second: Test) -> Test:
    return lambda item: first(item) or second(item)


def _and(first: Test, second: Test) -> Test:
    return lambda item: first(item) and second(item)


def _not(inner: Test) -> Test:
    return lambda item: not inner(item)


def _value(item: Any, path: str) -> Any:
    """The property at a path such as tags/colour; None if there is none."""
    for name in path.split("/"):
        if not isinstance(item, Mapping):
            return None
        item = next((item[key] for key in item if key.casefold() == name.casefold()), None)
    return item


def _holds(compare: Callable[[Any, Any], bool], value: Any, literal: Any) -> bool:
    """Compare, texts without case; null equals null only, and is neither less nor more."""
    if value is None or literal is None:
        return compare in {operator.eq, operator.ne} and compare(value, literal)
    if isinstance(literal, str) or isinstance(value, str):
        return compare(_folded_text(value), _folded_text(literal))
    try:
        return compare(float(value), float(literal))
    except (TypeError, ValueError):
        return compare is operator.ne


def _folded_text(value: Any) -> str:
    return "" if value is None else str(value).casefold()


def _sortable(value: Any) -> str:
    return f"{value:020}" if isinstance(value, int) else _folded_text(value)
