"""The blobs of an object store: each is the object of its name, which other tools read and write.

An object is replaced whole, so readers see the old or the new. What changes only properties moves
the row to the object that is there; an append reads the object and writes it again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lazulite.blobs.bindings import Bindings, known_stamp
from lazulite.blobs.errors import UnstorableNameError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.object_folders import ObjectFolders
from lazulite.blobs.objects import CONTROL, FoundObject, Objects
from lazulite.blobs.staging import Piece, Staging
from lazulite.blobs.values import Stamp

AHEAD = 8 << 20  # bytes fetched at a time for a reader that goes on and on


class ObjectTree:
    """The current version of every blob."""

    def __init__(
        self, objects: Objects, bindings: Bindings, folders: ObjectFolders, staging: Staging
    ) -> None:
        """folders: the containers; staging: where appends are put together."""
        self._objects, self._bindings = objects, bindings
        self._folders, self._staging = folders, staging

    def mend(self) -> None:
        """Bind what a crash left between an upload and its binding."""
        for address, stamp in self._bindings.unbound():
            found = self._objects.head(_name(address))
            if found is not None and self._known(found, address.key) == stamp:
                self._bindings.bind(address.key, stamp, found.e_tag)

    def check(self, parts: Sequence[str]) -> None:
        """Raises UnstorableNameError for keys that no cloud, or not this client, can say."""
        name = "/".join(parts)
        if not all(parts):
            message = f"Blob name {name!r}: no empty segment, no slash at either end."
            raise UnstorableNameError(message)
        if len(name.encode()) > self._objects.longest:
            longest = self._objects.longest - len("/".join(parts[:2])) - 1
            raise UnstorableNameError(f"The blob name is longer than {longest} bytes.")
        if CONTROL.search(name):
            raise UnstorableNameError(f"Blob name {parts[-1]!r} has a control character.")

    def stamp(self, parts: Sequence[str]) -> Stamp | None:
        """One request."""
        opened = self.open(parts)
        return opened.stamp if opened is not None else None

    def open(self, parts: Sequence[str]) -> ObjectContents | None:
        """One request; the bytes are fetched as they are read."""
        name = "/".join(parts)
        found = self._objects.head(name) if self._folders.has((parts[0], parts[1])) else None
        if found is None:
            return None
        return ObjectContents(self._objects, found, self._known(found, _key(parts)))

    def move_in(self, source: Path, parts: Sequence[str]) -> None:
        """Upload a staged file. A container that is deleted meanwhile takes the object along."""
        container, name = (parts[0], parts[1]), "/".join(parts)
        born = self._folders.born(container)
        stamp = Stamp.of(source.stat())
        if born is not None:
            e_tag = self._objects.put(name, source, stamp.mtime_ns)
            if self._folders.born(container) is born:
                return self._bindings.bind(_key(parts), stamp, e_tag)
            self._objects.remove([name])
        raise FileNotFoundError(f"there is no container {container[1]!r}")

    def make_way(self, parts: Sequence[str]) -> None:
        """Names of objects are in nobody's way."""

    def append(self, source: Path, parts: Sequence[str], after: Stamp) -> None:
        """Put the object and the staged file together, and upload the whole."""
        opened, size = self.open(parts), source.stat().st_size
        if opened is None:
            raise FileNotFoundError(f"there is no blob {parts[-1]!r}")
        pieces = [Piece(opened, 0, after.size - size), Piece(source, 0, size)]
        joined = self._staging.join(pieces).path
        try:
            os.utime(joined, ns=(after.mtime_ns, after.mtime_ns))
            self.move_in(joined, parts)
        finally:
            joined.unlink()

    def cut_back(self, parts: Sequence[str], before: Stamp) -> None:
        """Nothing: an upload that was interrupted has changed nothing."""

    def restamp(self, parts: Sequence[str], mtime_ns: int) -> None:
        """The row of the new version gets the object that is there."""
        found = self._objects.head("/".join(parts))
        if found is None:
            raise FileNotFoundError(f"there is no blob {parts[-1]!r}")
        self._bindings.bind(_key(parts), Stamp(found.size, mtime_ns), found.e_tag)

    def remove(self, parts: Sequence[str]) -> None:
        """Delete the object."""
        self._objects.remove(["/".join(parts)])

    def _known(self, found: FoundObject, key: str) -> Stamp:
        return known_stamp(found, self._bindings.of([key])[key])


class ObjectContents:
    """One version of an object: where another one takes its place, reading ends in EOFError."""

    def __init__(self, objects: Objects, found: FoundObject, stamp: Stamp) -> None:
        """found: what is to be read."""
        self._objects, self._found, self.stamp = objects, found, stamp
        self._held, self._start = b"", 0

    def read(self, start: int, size: int) -> bytes:
        """From what was fetched, or with a request, ahead if the reader goes on where it was."""
        at = start - self._start
        if not 0 <= at < len(self._held):
            goes_on = start > 0 and at == len(self._held)
            stop = min(start + (max(size, AHEAD) if goes_on else size), self._found.size)
            self._held = self._fetched(start, stop) if start < stop else b""
            self._start, at = start, 0
        return self._held[at : at + size]

    def pour(self, start: int, size: int, target: int) -> None:
        """Fetch a stretch into a file."""
        done = 0
        while done < size:
            data = self._fetched(start + done, start + min(done + AHEAD, size))
            os.writev(target, [data])
            done += len(data)

    def close(self) -> None:
        """Let go of what was fetched."""
        self._held = b""

    def _fetched(self, start: int, stop: int) -> bytes:
        data = self._objects.read(self._found.name, self._found.e_tag, start, stop)
        if not data:
            raise EOFError(f"the object {self._found.name!r} ended early")
        return data


def _key(parts: Sequence[str]) -> str:
    return BlobAddress(parts[0], parts[1], "/".join(parts[2:])).key


def _name(address: BlobAddress) -> str:
    return f"{address.account}/{address.container}/{address.name}"
