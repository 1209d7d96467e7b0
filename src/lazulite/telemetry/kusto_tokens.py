"""Words, marks and values of a Kusto query."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple, NoReturn

from lazulite.core.errors import ArmError
from lazulite.telemetry.spans import milliseconds, parse_moment

LONGEST = 10_000  # characters
_TOKEN = re.compile(
    r"\s*(?:(?P<comment>//[^\n]*)"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<span>\d+(?:ms|d|h|m|s)\b)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<moment>datetime\([^)]*\))"
    r"|(?P<word>!?[A-Za-z_][\w~]*)|(?P<mark>==|!=|=~|!~|<=|>=|\.\.|[|<>=(),*]))"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_DIGITS = 18  # what fits into 64 bits
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Token(NamedTuple):
    """kind: comment, text, span, number, moment, word, mark, or end."""

    kind: str
    said: str


class Tokens:
    """A query that is being read. now: what ago() counts from."""

    def __init__(self, text: str, now: datetime) -> None:
        """Raises ArmError 400 for what is no token."""
        if len(text) > LONGEST:
            raise ArmError("BadArgumentError", f"The query is longer than {LONGEST} characters.")
        if _SURROGATE.search(text):
            raise ArmError("BadArgumentError", "The query has half a character in it (UTF-16).")
        self._now, self._place, self._text = now, 0, text.strip().rstrip(";").rstrip()
        self._tokens = list(self._scanned())

    @property
    def next(self) -> Token:
        """The token that is read next."""
        return self._tokens[self._place] if self._place < len(self._tokens) else Token("end", "")

    def take(self) -> Token:
        """Read a token."""
        found = self.next
        self._place += 1
        return found

    def takes(self, *words: str) -> bool:
        """Read the words if they are next, in any case."""
        said = [each.said.lower() for each in self._tokens[self._place : self._place + len(words)]]
        if said != [word.lower() for word in words]:
            return False
        self._place += len(words)
        return True

    def expect(self, word: str) -> None:
        """Read the word. Raises ArmError 400 if another one stands there."""
        if not self.takes(word):
            self.refuse(f"{word!r} is missing before it")

    def word(self) -> str:
        """Read a name. Raises ArmError 400."""
        if self.next.kind != "word":
            self.refuse("a name is expected there")
        return self.take().said

    def value(self) -> Any:
        """Read a value: text, number, or a moment in milliseconds. Raises ArmError 400."""
        kind, said = self.take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", said[1:-1])
        if kind == "number":
            return float(said) if "." in said else self.whole(said)
        if kind == "moment":
            return milliseconds(parse_moment(said[9:-1].strip("'\" ")))
        if kind == "word" and said in {"ago", "now"}:
            self.expect("(")
            moment = self._now if said == "now" else self._ago()
            self.expect(")")
            return milliseconds(moment)
        self._place -= 1
        return self.refuse("a value is expected there: 'text', a number, datetime(...) or ago(1h)")

    def span(self) -> timedelta:
        """Read a length such as 5m. Raises ArmError 400."""
        kind, said = self.take()
        if kind != "span":
            self._place -= 1
            self.refuse("a length is expected there, such as 30s, 5m, 1h or 7d")
        number = re.match(r"\d+", said)
        count = number[0] if number else "0"
        try:
            return timedelta(**{_UNITS[said[len(count) :]]: float(count)})
        except OverflowError:
            self.refuse(f"{said[:40]} before it is too long")

    def whole(self, said: str) -> int:
        """The whole number that digits say. Raises ArmError 400 for too many."""
        if len(said.lstrip("-")) > _MOST_DIGITS:
            self.refuse(f"{said[:40]} before it has more than {_MOST_DIGITS} digits")
        return int(said)

    def _ago(self) -> datetime:
        span = self.span()
        try:
            return self._now - span
        except OverflowError:
            self.refuse("the time before it is too long ago")

    def refuse(self, why: str) -> NoReturn:
        """Raise ArmError 400 that names the place."""
        at = self.next.said or "its end"
        raise ArmError("BadArgumentError", f"The query makes no sense at {at[:60]!r}: {why}.")

    def _scanned(self) -> list[Token]:
        found, place = [], 0
        while place < len(self._text):
            match = _TOKEN.match(self._text, place)
            if match is None or match.lastgroup is None:
                at = self._text[place : place + 40]
                raise ArmError("BadArgumentError", f"The query makes no sense at {at!r}.")
            if match.lastgroup != "comment":
                found.append(Token(match.lastgroup, match[match.lastgroup]))
            place = match.end()
        return found
