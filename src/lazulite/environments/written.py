"""Text of a user's file together with where it stands: every error names line and column."""

from __future__ import annotations

import dataclasses
import re

from lazulite.core.errors import SpecError

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_SHOWN = 200  # characters of the user's text in an error


@dataclasses.dataclass(frozen=True)
class Written:
    """A piece of a file: its text and the place of its first character, counted from 1."""

    text: str
    source: str = "condaFile"
    line: int = 1
    column: int = 1

    @property
    def place(self) -> str:
        """Where the text stands, e.g. "condaFile line 7, column 5"."""
        return f"{self.source} line {self.line}, column {self.column}"

    def refusal(self, rule: str, *, code: str = "InvalidRequirement") -> SpecError:
        """The error for this text; rule: what is wrong and the remedy, as whole sentences."""
        return SpecError(
            code, f"{self.place}: {shown(self.text)!r}: {rule}", target=self.source.split("/")[-1]
        )


def shown(text: str) -> str:
    """The text as an error or a log may show it: cut short, and no credentials in its URLs."""
    safe = without_credentials(text)
    return safe if len(safe) <= _SHOWN else safe[:_SHOWN] + "..."


def without_credentials(text: str) -> str:
    """The text with the user name and password of every URL replaced by ***."""
    return _CREDENTIALS.sub("***@", text)
