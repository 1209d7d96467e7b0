"""What keeps blobs: the narrow interface that the store knows of local folders and object stores.

Blobs are addressed by their parts, (account, container, *segments of the name). All calls block;
run them in threads. What is written is durable on return, and a crash leaves the old or the new.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from lazulite.blobs.contents import Contents
from lazulite.blobs.listing import Query, Walker
from lazulite.blobs.values import Stamp

Parts = tuple[str, ...]


class BlobFiles(Protocol):
    """The current version of every blob."""

    def check(self, parts: Sequence[str]) -> None:
        """Raises UnstorableNameError for a name that nothing can be kept under. Does not block."""
        ...

    def stamp(self, parts: Sequence[str]) -> Stamp | None:
        """The version that is there; None for no blob."""
        ...

    def open(self, parts: Sequence[str]) -> Contents | None:
        """The bytes of the version that is there; None for no blob."""
        ...

    def move_in(self, source: Path, parts: Sequence[str]) -> None:
        """Make a staged file the blob; its time is the version. The file may be moved.

        Raises FileNotFoundError without its container, and BlobError where another blob is in the
        way, which make_way() can remove.
        """
        ...

    def make_way(self, parts: Sequence[str]) -> None:
        """Let others have names that go on behind that of a blob and a slash.

        Nothing changes for readers. Nothing if it is no blob. Under the lock of that blob.
        """
        ...

    def append(self, source: Path, parts: Sequence[str], after: Stamp) -> None:
        """Add a staged file to the end of a blob, which gets its new version.

        Raises FileNotFoundError.
        """
        ...

    def cut_back(self, parts: Sequence[str], before: Stamp) -> None:
        """Undo what an interrupted append() left of itself."""
        ...

    def restamp(self, parts: Sequence[str], mtime_ns: int) -> None:
        """Give the same bytes another version. Raises FileNotFoundError."""
        ...

    def remove(self, parts: Sequence[str]) -> None:
        """Delete a blob. Raises FileNotFoundError."""
        ...


class ContainerFolders(Protocol):
    """Which containers there are. parts: (account, container)."""

    def has(self, parts: tuple[str, str]) -> bool:
        """Whether it is there; so fast that it needs no thread."""
        ...

    def make(self, parts: tuple[str, str]) -> bool:
        """False if it is there already."""
        ...

    def modified(self, parts: tuple[str, str]) -> datetime | None:
        """A time in whole seconds; None if it is not there."""
        ...

    def remove(self, parts: tuple[str, str]) -> None:
        """With all blobs, of which none is seen from the beginning on."""
        ...

    def names(self, account: str) -> list[str]:
        """The containers of an account, sorted."""
        ...

    def walk(self, parts: tuple[str, str], query: Query) -> Walker:
        """The blobs of a container. query: prefix and marker bound the walk."""
        ...


class SnapshotFiles(Protocol):
    """Copies of blobs. place: (account, container, key of the blob, time of the snapshot)."""

    def take(self, parts: Sequence[str], stamp: Stamp, place: Parts) -> None:
        """Copy that version of a blob. Raises BlobError if another one is there by now."""
        ...

    def open(self, place: Parts) -> Contents | None:
        """The bytes of a snapshot; None if it is not there."""
        ...

    def remove(self, place: Parts) -> None:
        """Remove a snapshot, or all below a shorter place. Safe to repeat."""
        ...

    def keep_only(self, known: set[tuple[str, str]]) -> None:
        """Remove all others. known: keys and times."""
        ...


@dataclasses.dataclass(frozen=True)
class BackEnd:
    """All that keeps the bytes of one store."""

    start: Callable[[], None]
    """Finish what a crash interrupted. Before any other call; blocks."""
    blobs: BlobFiles
    containers: ContainerFolders
    snapshots: SnapshotFiles
