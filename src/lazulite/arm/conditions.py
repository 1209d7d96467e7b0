"""ETag, If-Match and If-None-Match. Source: spec/REST.md 2.7.

An ETag has two parts: the revision, which every write raises, and a digest of the answer, which
also changes with what the server observes. A write is compared by the revision alone, so that it
fails for another write and for nothing else; a GET is compared by both.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

from lazulite.core.errors import ArmError
from lazulite.store.resources import Json, Resource

FAILED_CONDITION = "PreconditionFailed"


def etag(found: Resource, answer: bytes) -> str:
    """The tag of a resource as it was answered."""
    return f'"{found.revision}-{hashlib.sha256(answer).hexdigest()[:12]}"'


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What a request says of the resource that it expects; None: nothing."""

    match: tuple[str, ...] | None
    none_match: tuple[str, ...] | None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Conditions:
        """Read the two headers."""
        return cls(_tags(headers.get("if-match")), _tags(headers.get("if-none-match")))

    def check(self, arm_id: str, found: Resource | None) -> None:
        """Raise ArmError 412 unless a write may go on."""
        revision = None if found is None else str(found.revision)
        if self.match is not None and not _has(self.match, revision):
            raise failed(arm_id, "If-Match")
        if self.none_match is not None and _has(self.none_match, revision):
            raise failed(arm_id, "If-None-Match")

    def guards(self, found: Resource | None) -> Json:
        """The same, for Resources.put to hold while it writes. They were checked before."""
        revision = found.revision if found and self.match and "*" not in self.match else None
        return {"only_new": self.none_match == ("*",), "if_revision": revision}

    def is_known(self, tag: str) -> bool:
        """Whether a GET need not be answered: the caller has exactly that."""
        return self.none_match is not None and bool({"*", tag.strip('"')} & {*self.none_match})


def failed(arm_id: str, header: str) -> ArmError:
    """The resource is not what the caller expects."""
    message = f"The condition {header} on {arm_id!r} failed: read it again and repeat."
    return ArmError(FAILED_CONDITION, message, 412)


def _tags(header: str | None) -> tuple[str, ...] | None:
    if not header or not header.strip():
        return None
    return tuple(tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))


def _has(tags: tuple[str, ...], revision: str | None) -> bool:
    return revision is not None and any(
        tag == "*" or tag.partition("-")[0] == revision for tag in tags
    )
