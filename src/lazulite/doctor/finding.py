"""What a check has found, in the words that a person reads and a program can count."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"  # works, with a limit that is said
    MISSING = "missing"  # is not there, or cannot be used as it is


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check."""

    check: str
    """What was looked at: a word, or a place in a file as path:line:column."""
    status: Status
    found: str
    """What is there, or why it is no use."""
    purpose: str = ""
    """What it is needed for."""
    remedy: str = ""
    """What to do, unless all is well."""
    is_needed: bool = False
    """Whether nothing works without it."""

    def to_json(self) -> dict[str, Any]:
        """As `-o json` prints it."""
        return dataclasses.asdict(self) | {"status": self.status.value}
