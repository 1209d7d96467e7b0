"""Index tags of blobs: their rules, and the expressions that ask for them. Pure.

Source: "Set Blob Tags", "Find Blobs by Tags" and "x-ms-if-tags", learn.microsoft.com.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

from lazulite.blobs.errors import BlobError

MOST_TAGS, KEY_CHARACTERS, VALUE_CHARACTERS = 10, 128, 256
ALLOWED = re.compile(r"[A-Za-z0-9 +\-./:=_]*")
TOKEN = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|(<>|<=|>=|=|<|>)|(@?[A-Za-z0-9_]+)|([()]))")
KINDS = ("key", "value", "sign", "word", "bracket")  # the groups of TOKEN
EXPRESSION_CHARACTERS = 8192
CONTAINER = "@container"

Matches = Callable[[Mapping[str, str]], bool]
COMPARE: Mapping[str, Callable[[str | None, str], bool]] = {
    "=": lambda have, want: have == want,
    "<>": lambda have, want: have != want,
    "<": lambda have, want: have is not None and have < want,
    "<=": lambda have, want: have is not None and have <= want,
    ">": lambda have, want: have is not None and have > want,
    ">=": lambda have, want: have is not None and have >= want,
}


def tags_of_header(text: str) -> dict[str, str]:
    """The tags in x-ms-tags, which is encoded as a form. Raises BlobError."""
    return checked_tags(parse_qsl(text, keep_blank_values=True))


def checked_tags(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The same pairs. Raises BlobError for too many, doubled, too long or odd ones."""
    if len(pairs) > MOST_TAGS:
        raise BlobError("TagsTooLarge", f"{len(pairs)} tags; a blob has at most {MOST_TAGS}.")
    if len({key for key, _ in pairs}) != len(pairs):
        raise BlobError("InvalidTag", "A tag is given twice.")
    for key, value in pairs:
        if not 0 < len(key) <= KEY_CHARACTERS or len(value) > VALUE_CHARACTERS:
            message = f"Tag {key[:200]!r}: 1 to 128 characters, and up to 256 of its value."
            raise BlobError("TagsTooLarge" if key else "InvalidTag", message)
        if not (ALLOWED.fullmatch(key) and ALLOWED.fullmatch(value)):
            message = f"Tag {key!r}={value!r}: letters, digits, space and + - . / : = _ only."
            raise BlobError("InvalidTag", message)
    return dict(pairs)


def parse_expression(text: str, fault: str) -> Matches:
    """A test of tags such as "a" = 'x' AND "b" > '1'; @container stands among the tags.

    Raises BlobError with the code `fault` for what is no such expression.
    """
    return _Reader(text, fault).read()


class _Reader:
    """Recursive descent over: either (OR either)*; both (AND both)*; comparison or (...)."""

    def __init__(self, text: str, fault: str) -> None:
        self._text, self._fault = text, fault
        self._tokens = self._scan() if len(text) <= EXPRESSION_CHARACTERS else []
        self._at = 0

    def read(self) -> Matches:
        found = self._joined("OR")
        if self._at != len(self._tokens):
            raise self._wrong()
        return found

    def _scan(self) -> list[tuple[str, str]]:
        tokens, at, end = list[tuple[str, str]](), 0, len(self._text.rstrip())
        while at < end:
            match = TOKEN.match(self._text, at)
            if match is None or match.lastindex is None:
                raise self._wrong()
            tokens.append((KINDS[match.lastindex - 1], match[match.lastindex]))
            at = match.end()
        return tokens

    def _joined(self, word: str) -> Matches:
        parts = [self._part(word)]
        while self._take("word", word):
            parts.append(self._part(word))
        join = any if word == "OR" else all
        return lambda tags: join(part(tags) for part in parts)

    def _part(self, word: str) -> Matches:
        return self._joined("AND") if word == "OR" else self._single()

    def _single(self) -> Matches:
        if self._take("bracket", "("):
            raise self._wrong("brackets are not supported")
        key, sign, value = (self._next(kind) for kind in ("key", "sign", "value"))
        return lambda tags: COMPARE[sign](tags.get(key), value)

    def _take(self, kind: str, text: str) -> bool:
        found = self._tokens[self._at : self._at + 1]
        if not found or (found[0][0], found[0][1].upper()) != (kind, text):
            return False
        self._at += 1
        return True

    def _next(self, kind: str) -> str:
        if self._at >= len(self._tokens):
            raise self._wrong()
        found, text = self._tokens[self._at]
        if kind == "key" and found == "word":
            found = kind
        if found != kind:
            raise self._wrong()
        self._at += 1
        return text

    def _wrong(self, why: str = "") -> BlobError:
        hint = why or "write \"key\" = 'value', joined by AND"
        return BlobError(self._fault, f"{self._text[:200]!r} is no expression of tags: {hint}.")
