"""What is known of a blob beside its HTTP headers: kind, tier, tags, where it was copied from.

One JSON column holds all of it, so that a new detail needs no new table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

BLOCK_BLOB, APPEND_BLOB = "BlockBlob", "AppendBlob"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CopyRecord:
    """The last copy onto a blob. Copies of this server are done before they are answered."""

    id: str
    source: str  # a URL without its signature
    completed: str  # an HTTP date
    size: int  # bytes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Details:
    """created_ns: since the epoch, 0 for the time of the file; tier: "" where it was never set."""

    kind: str = BLOCK_BLOB
    created_ns: int = 0
    tier: str = ""
    tier_changed: str = ""  # an HTTP date
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    sealed: bool = False
    appended: int = 0  # blocks of an append blob
    copied: CopyRecord | None = None

    def to_json(self) -> dict[str, Any] | None:
        """What differs from a plain block blob; None if nothing does."""
        said = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != getattr(PLAIN_DETAILS, field.name)
        }
        if self.copied is not None:
            said["copied"] = dataclasses.asdict(self.copied)
        return said or None

    @classmethod
    def from_json(cls, said: Mapping[str, Any] | None) -> Details:
        """What to_json() gave."""
        if not said:
            return PLAIN_DETAILS
        copied = said.get("copied")
        return cls(**{**said, "copied": CopyRecord(**copied) if copied else None})


PLAIN_DETAILS = Details()
