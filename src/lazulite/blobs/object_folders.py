"""The containers of an object store: a marker object each, or any prefix that has objects.

They are kept in memory. One server works on a prefix at a time, so only what other tools make can
be unknown; it is found at the start, when containers are listed, and when one is asked for.
"""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime

from lazulite.blobs.bindings import Bindings
from lazulite.blobs.errors import BlobError
from lazulite.blobs.listing import Query
from lazulite.blobs.object_walk import ObjectWalk
from lazulite.blobs.objects import Objects

PRIVATE = ".lazulite"
MARKERS, DOOMED = f"{PRIVATE}/containers", f"{PRIVATE}/deleted"
SNAPSHOTS = f"{PRIVATE}/snapshots"

Parts = tuple[str, str]


@dataclasses.dataclass(frozen=True, eq=False)
class Born:
    """A container from its making to its end: another one of its name is another Born."""

    modified: datetime


class ObjectFolders:
    """Which containers there are."""

    def __init__(self, objects: Objects, bindings: Bindings) -> None:
        """bindings: for walks."""
        self._objects, self._bindings = objects, bindings
        self._known: dict[Parts, Born] = {}
        self._leaving: set[Parts] = set()
        self._lock = threading.Lock()

    def load(self) -> None:
        """Finish deletions that were interrupted, and see what is there. Before any other call."""
        for account in self._objects.folders(DOOMED):
            for page in self._objects.listed(f"{DOOMED}/{account}"):
                for one in page:
                    self._clear((account, one.name.rpartition("/")[2]))
        accounts = {*self._objects.folders(""), *self._objects.folders(MARKERS)} - {PRIVATE}
        for account in accounts:
            self.names(account)

    def has(self, parts: Parts) -> bool:
        """Whether it is known."""
        return parts in self._known

    def born(self, parts: Parts) -> Born | None:
        """The container of this name as long as it is one and the same."""
        return self._known.get(parts)

    def make(self, parts: Parts) -> bool:
        """Write its marker. Raises BlobError 409 while one of its name is being deleted."""
        if self.modified(parts) is not None:
            return False
        with self._lock:
            if parts in self._leaving:
                raise BlobError("ContainerBeingDeleted")
        if self._objects.head(_name(DOOMED, parts)) is not None:
            self._clear(parts)
        self._objects.put(_name(MARKERS, parts), b"")
        return self._look(parts, has_objects=False)

    def modified(self, parts: Parts) -> datetime | None:
        """When its marker was written; for one that other tools made, when it was found."""
        if parts not in self._known:
            self._look(parts, has_objects=any(self._objects.listed("/".join(parts), page=1)))
        born = self._known.get(parts)
        return born.modified if born is not None else None

    def remove(self, parts: Parts) -> None:
        """Its objects are not seen from now on; an interrupted deletion goes on at the start."""
        with self._lock:
            self._known.pop(parts, None)
            self._leaving.add(parts)
        try:
            self._objects.put(_name(DOOMED, parts), b"")
            self._clear(parts)
        finally:
            with self._lock:
                self._leaving.discard(parts)

    def names(self, account: str) -> list[str]:
        """Those with a marker and those with objects."""
        there = {*self._objects.folders(account)}
        marked = {
            one.name.rpartition("/")[2]
            for page in self._objects.listed(f"{MARKERS}/{account}")
            for one in page
        }
        for name in there | marked:
            self._look((account, name), has_objects=name in there)
        return [name for name in sorted(there | marked) if (account, name) in self._known]

    def walk(self, parts: Parts, query: Query) -> ObjectWalk:
        """In the order in which the store lists."""
        return ObjectWalk(self._objects, self._bindings, parts, query)

    def _look(self, parts: Parts, *, has_objects: bool) -> bool:
        """Whether it is there and was not known."""
        if parts in self._known:
            return False
        marker = self._objects.head(_name(MARKERS, parts))
        if marker is None and not has_objects:
            return False
        if self._objects.head(_name(DOOMED, parts)) is not None:
            return False
        with self._lock:
            if parts in self._known or parts in self._leaving:
                return False
            self._known[parts] = Born(marker.modified if marker else datetime.now(UTC))
        return True

    def _clear(self, parts: Parts) -> None:
        self._objects.remove_below("/".join(parts))
        self._objects.remove([_name(MARKERS, parts)])
        self._objects.remove([_name(DOOMED, parts)])


def _name(folder: str, parts: Parts) -> str:
    return "/".join((folder, *parts))
