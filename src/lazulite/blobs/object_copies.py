"""Snapshots in an object store: copies that it makes itself, in a folder that is no account's."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from lazulite.blobs.back_end import Parts
from lazulite.blobs.errors import BlobError
from lazulite.blobs.object_folders import SNAPSHOTS
from lazulite.blobs.object_tree import ObjectContents, ObjectTree
from lazulite.blobs.objects import Objects
from lazulite.blobs.values import EPOCH, Stamp


class ObjectCopies:
    """Snapshots as objects."""

    def __init__(self, objects: Objects, tree: ObjectTree) -> None:
        """tree: of the blobs."""
        self._objects, self._tree = objects, tree

    def take(self, parts: Sequence[str], stamp: Stamp, place: Parts) -> None:
        """The version is looked at once more behind the copy: nothing else holds it."""
        target = _name(place)
        if self._tree.stamp(parts) == stamp:
            with contextlib.suppress(FileNotFoundError):  # then it is not that version either
                self._objects.copy("/".join(parts), target)
            if self._tree.stamp(parts) == stamp:
                return
            self._objects.remove([target])
        raise BlobError("InvalidBlobOrBlock", "The blob was changed meanwhile.")

    def open(self, place: Parts) -> ObjectContents | None:
        """One request; the bytes are fetched as they are read."""
        found = self._objects.head(_name(place))
        if found is None:
            return None
        taken_ns = int((found.modified - EPOCH).total_seconds()) * 1_000_000_000
        return ObjectContents(self._objects, found, Stamp(found.size, taken_ns))

    def remove(self, place: Parts) -> None:
        """The object, or all below it."""
        self._objects.remove([_name(place)])
        self._objects.remove_below(_name(place))

    def keep_only(self, known: set[tuple[str, str]]) -> None:
        """Page by page."""
        for page in self._objects.listed(SNAPSHOTS):
            placed = [(one.name, one.name.split("/")) for one in page]
            self._objects.remove(
                name for name, parts in placed if (parts[-2], parts[-1]) not in known
            )


def _name(place: Parts) -> str:
    return "/".join((SNAPSHOTS, *place))
