"""What a blob and a container are: plain values shared by the store and the gateway."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lazulite.blobs.details import PLAIN_DETAILS, Details
from lazulite.blobs.names import BlobAddress

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_CONTENT_TYPE = "application/octet-stream"


@dataclasses.dataclass(frozen=True)
class Stamp:
    """The version of a file: any write, of ours or of a job, changes it."""

    size: int  # bytes
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The version that a stat saw."""
        return cls(status.st_size, status.st_mtime_ns)

    @property
    def etag(self) -> str:
        """Azure's form, quotes included."""
        return f'"0x{self.mtime_ns:016X}{self.size:X}"'

    @property
    def modified(self) -> datetime:
        """In whole seconds, as HTTP dates are."""
        return EPOCH + timedelta(seconds=self.mtime_ns // 1_000_000_000)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Properties:
    """What a client says of a blob beside its bytes."""

    content_type: str = DEFAULT_CONTENT_TYPE
    content_encoding: str = ""
    content_language: str = ""
    content_disposition: str = ""
    cache_control: str = ""
    md5: bytes | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    details: Details = PLAIN_DETAILS


@dataclasses.dataclass(frozen=True)
class Blob:
    """A committed blob as it was at one moment. snapshot: its time; "" for the blob itself."""

    address: BlobAddress
    stamp: Stamp
    properties: Properties
    snapshot: str = ""

    @property
    def size(self) -> int:
        """In bytes."""
        return self.stamp.size

    @property
    def created(self) -> datetime:
        """In whole seconds; of a file that a job wrote, when it was last written."""
        return EPOCH + timedelta(
            seconds=(self.properties.details.created_ns or self.stamp.mtime_ns) // 1_000_000_000
        )


@dataclasses.dataclass(frozen=True)
class Block:
    """A piece of a block blob. id: as decoded from base64."""

    id: bytes
    size: int  # bytes


@dataclasses.dataclass(frozen=True)
class BlockList:
    """The blocks that make up a blob and those that wait for a commit."""

    committed: tuple[Block, ...]
    uncommitted: tuple[Block, ...]
    blob: Blob | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Policy:
    """A stored access policy: what a SAS with its id leaves out. "": the SAS must say it."""

    id: str
    start: str = ""
    expiry: str = ""
    permission: str = ""


@dataclasses.dataclass(frozen=True)
class Access:
    """Who may read without credentials (public: "", "blob" or "container"), and the policies."""

    public: str = ""
    policies: tuple[Policy, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any] | None) -> Access:
        """What to_json() gave."""
        if not said:
            return PRIVATE
        return cls(said["public"], tuple(Policy(**one) for one in said["policies"]))


PRIVATE = Access()


@dataclasses.dataclass(frozen=True)
class Container:
    """A container; modified: when it or its metadata was written, not its blobs."""

    account: str
    name: str
    modified: datetime
    metadata: Mapping[str, str]
    access: Access = PRIVATE

    @property
    def etag(self) -> str:
        """Azure's form, quotes included."""
        return f'"0x{(self.modified - EPOCH) // timedelta(microseconds=1):016X}"'


@dataclasses.dataclass(frozen=True)
class Expected:
    """What the sender says of a body, to be held against what arrives."""

    limit: int  # bytes
    length: int | None = None  # bytes
    md5: bytes | None = None
    crc64: bytes | None = None
    hashed: bool = True
    """Whether the MD5 of the body is computed; needed when md5 is given."""


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a listing. marker: hand it in for the next page; None on the last one."""

    blobs: tuple[Blob, ...]
    prefixes: tuple[str, ...]
    marker: str | None
