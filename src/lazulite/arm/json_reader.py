"""Reading JSON as leniently as Azure does, and no more: published scripts depend on it.

Accepted beyond the standard: a trailing comma, raw control characters inside strings, a BOM,
comments (// to the end of the line, and /* to */).
Source: spec/REST.md 2.2.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from lazulite.core.errors import ArmError

LARGEST_BODY = 4 * 1024 * 1024  # bytes, as in Azure Resource Manager
DEEPEST = 64
_BEYOND = 2**63
_LONGEST_NUMBER = 400  # characters; the largest double has 309 digits

_SPACE = re.compile(r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*.*?\*/)*+", re.DOTALL)
_STRING = re.compile(r'"([^"\\]*+)(?:"|((?:\\.|[^"\\]++)*+)")', re.DOTALL)
_ESCAPED = re.compile(r'(?:[^\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?")
_WORD = re.compile(r"[-+\w.]{1,20}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONSTANTS = {"true": True, "false": False, "null": None}


def read_json(body: bytes, *, largest: int = LARGEST_BODY) -> Any:
    """The value in a request body.

    Raises ArmError: 413 above `largest` bytes, else 400 with line, column and what was expected.
    Refused are duplicate names, NaN and Infinity, whole numbers of more than 64 bits, others that
    no double can hold, lone surrogates, and more than 64 levels. Reads 7 MB/s of usual JSON, 2 MB/s
    of nothing but short numbers.
    """
    if len(body) > largest:
        message = f"The request content has {len(body)} bytes; at most {largest} are accepted."
        raise ArmError("RequestEntityTooLarge", message, 413)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise _refusal(f"Line {line}: the bytes are not UTF-8.") from error
    return _Reader(text).document()


class _Reader:
    """One pass over a text; position is where the next token starts."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0

    def document(self) -> Any:
        self._skip_space()
        value = self._value(DEEPEST)
        if self._peek():
            self._fail("the end of the text")
        return value

    def _value(self, levels: int) -> Any:
        first = self._peek()
        if first == '"':
            return self._string()
        if first == "{" or first == "[":
            if not levels:
                self._refuse(f"more than {DEEPEST} levels of objects and arrays are not accepted")
            return self._object(levels - 1) if first == "{" else self._array(levels - 1)
        if first == "-" or first.isdigit():
            return self._number()
        return self._constant()

    def _object(self, levels: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        self._step()
        while self._peek() != "}":
            start = self.position
            if self._peek() != '"':
                self._fail("a property name in double quotes, or '}'")
            name = self._string()
            if name in value:
                self.position = start
                self._refuse(f"the property {name!r} stands there twice; keep one")
            if self._peek() != ":":
                self._fail("':'")
            self._step()
            value[name] = self._value(levels)
            self._end_item("}")
        self._step()
        return value

    def _array(self, levels: int) -> list[Any]:
        value: list[Any] = []
        self._step()
        while self._peek() != "]":
            value.append(self._value(levels))
            self._end_item("]")
        self._step()
        return value

    def _end_item(self, closing: str) -> None:
        """A comma, which may also stand before the end, or the end."""
        if self._peek() == ",":
            self._step()
        elif self._peek() != closing:
            self._fail(f"',' or '{closing}'")

    def _string(self) -> str:
        found = _STRING.match(self.text, self.position)
        if found is None:
            self._refuse("the string that starts here has no closing double quote")
        plain: str = found[1]
        value = plain if found[2] is None else self._unescaped(found[0])
        self._step_to(found.end())
        return value

    def _unescaped(self, literal: str) -> str:
        try:
            value: str = json.loads(literal, strict=False)
        except json.JSONDecodeError:
            sound = _ESCAPED.match(literal)
            self.position += sound.end() if sound else 0
            self._refuse('expected an escape such as \\n, \\" or \\u00e9; a backslash is \\\\')
        if _SURROGATE.search(value):
            self._refuse("the string holds half of a surrogate pair (\\ud800 to \\udfff)")
        return value

    def _number(self) -> int | float:
        found = _NUMBER.match(self.text, self.position)
        if found is None:
            self._fail("a number")
        if len(found[0]) > _LONGEST_NUMBER:
            self._refuse(f"the number has more than {_LONGEST_NUMBER} characters")
        value = float(found[0]) if found[1] or found[2] else int(found[0])
        if isinstance(value, float) and math.isinf(value):
            self._refuse(f"the number {found[0]} is larger than a double can hold")
        if isinstance(value, int) and not -_BEYOND <= value < _BEYOND:
            self._refuse(f"the whole number {found[0]} has more than 64 bits")
        self._step_to(found.end())
        return value

    def _constant(self) -> bool | None:
        word = _WORD.match(self.text, self.position)
        if word is None or word[0] not in _CONSTANTS:
            self._fail("a value")
        self._step_to(word.end())
        return _CONSTANTS[word[0]]

    def _peek(self) -> str:
        """The character at the position; "" at the end."""
        return self.text[self.position : self.position + 1]

    def _step(self) -> None:
        self._step_to(self.position + 1)

    def _step_to(self, position: int) -> None:
        self.position = position
        self._skip_space()

    def _skip_space(self) -> None:
        found = _SPACE.match(self.text, self.position)
        self.position = found.end() if found else self.position

    def _fail(self, expected: str) -> NoReturn:
        word = _WORD.match(self.text, self.position)
        found = repr(word[0] if word else self._peek()) if self._peek() else "the end of the text"
        self._refuse(f"expected {expected}, found {found}")

    def _refuse(self, problem: str) -> NoReturn:
        line = self.text.count("\n", 0, self.position) + 1
        column = self.position - self.text.rfind("\n", 0, self.position)
        raise _refusal(f"Line {line}, column {column}: {problem}.")


def _refusal(problem: str) -> ArmError:
    """Azure's code and wording. Source: spec/REST.md 2.5."""
    message = f"The request content was invalid and could not be deserialized: '{problem}'."
    return ArmError("InvalidRequestContent", message, 400)
