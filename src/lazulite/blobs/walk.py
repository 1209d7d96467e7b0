"""A walk through the folders of a container, in the order of the names of its blobs.

A folder sorts as its name with a slash, which makes a walk in depth the order of the whole names
("a-b" < "a.c" < "a/b" < "a0"). Of each folder only the smallest entries are kept at a time; a
bigger folder is looked at again when they are used up.
"""

from __future__ import annotations

import heapq
import os
from bisect import bisect_left
from collections.abc import Iterator

from lazulite.blobs.folder_names import MOST, FolderNames, Names, version_of
from lazulite.blobs.listing import Found, Query, is_walkable, lowest_name
from lazulite.blobs.names import NAME_CHARACTERS, is_unicode
from lazulite.blobs.tree import ABSENT, Tree
from lazulite.blobs.values import Stamp


class Walk:
    """All blobs of a container from a name on, in order, with the way to leave a subtree out."""

    def __init__(
        self,
        tree: Tree,
        container: tuple[str, str],
        query: Query,
        known: FolderNames | None = None,
    ) -> None:
        """query: prefix and marker bound the walk; known: what earlier walks have seen."""
        self._tree, self._container, self._names = tree, container, known or FolderNames()
        self._prefix, self._batch = query.prefix, query.limit + 1
        self._low, self._goes_on = lowest_name(query), bool(query.marker)
        top = query.prefix.rpartition("/")[0]
        self._open = [(top, self._entries(top))] if is_walkable(top) else []

    def __iter__(self) -> Iterator[Found]:
        """Blobs only."""
        while self._open:
            entry = next(self._open[-1][1], None)
            if entry is None:
                self._open.pop()
            elif entry.stamp is not None:
                yield Found(entry.name, entry.stamp)
            else:
                folder = entry.name.rstrip("/")
                self._open.append((folder, self._entries(folder)))

    def leave(self, prefix: str) -> None:
        """Go on behind all names that begin with the prefix, where that is a folder."""
        while self._open and self._open[-1][0] and f"{self._open[-1][0]}/".startswith(prefix):
            self._open.pop()  # never the container itself, whose name is empty

    def _entries(self, folder: str) -> Iterator[Found]:
        """The blobs and folders of one folder in order, in batches of bounded size."""
        above = ""
        while True:
            batch = self._next_batch(folder, above)
            yield from (entry for entry in batch if not _is_gone(entry))
            if len(batch) < self._batch:
                return
            above = batch[-1].name

    def _next_batch(self, folder: str, above: str) -> list[Found]:
        """The smallest entries over a name; only these are looked at closely."""
        parts = (*self._container, *(folder.split("/") if folder else ()))
        try:
            with self._tree.folder(parts) as descriptor:
                known = self._names.find(version_of(descriptor))
                if known is None:
                    names = self._read(descriptor, folder, above)
                else:
                    names = self._looked_up(known, folder, above)
                return [Found(name, _stamp(descriptor, name)) for name in names]
        except OSError as error:
            if error.errno in ABSENT:
                return []
            raise

    def _read(self, descriptor: int, folder: str, above: str) -> list[str]:
        """From the disk; on the second page of a list, what else is there is remembered."""
        version, found = version_of(descriptor), list[str]()

        def noted() -> Iterator[str]:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    if name := _name(folder, entry):
                        if self._goes_on and len(found) <= MOST:
                            found.append(name)
                        yield name

        wanted = (name for name in noted() if name > above and self._is_wanted(name))
        chosen = heapq.nsmallest(self._batch, wanted)
        if version_of(descriptor) == version:
            self._names.keep(version, found)
        return chosen

    def _looked_up(self, known: Names, folder: str, above: str) -> list[str]:
        """The same from memory."""
        chosen = list[str]()
        for index in range(bisect_left(known, self._lowest_of(folder, above)), len(known)):
            name = known[index]
            is_behind = name > self._prefix and not name.startswith(self._prefix)
            if is_behind or len(chosen) == self._batch:
                break
            if name > above and self._is_wanted(name):
                chosen.append(name)
        return chosen

    def _lowest_of(self, folder: str, above: str) -> str:
        """Where to begin: the entry that is, or contains, the first name of the range."""
        inside = f"{folder}/" if folder else ""
        head, slash, _ = self._low.removeprefix(inside).partition("/")
        low = inside + head + slash if self._low.startswith(inside) else self._low
        return max(low, above)

    def _is_wanted(self, name: str) -> bool:
        """Whether the entry is, or may contain, a name in the range."""
        is_late = name >= self._low or (name.endswith("/") and self._low.startswith(name))
        return is_late and name.startswith(self._prefix)


def _name(folder: str, entry: os.DirEntry[str]) -> str:
    """The whole name, a folder's with a slash; "" for what is neither folder nor blob."""
    name = f"{folder}/{entry.name}" if folder else entry.name
    if len(name) > NAME_CHARACTERS or "\\" in entry.name or not is_unicode(entry.name):
        return ""  # no client could say this name
    if entry.is_dir(follow_symlinks=False):
        return f"{name}/"
    return name if entry.is_file(follow_symlinks=False) else ""


def _stamp(descriptor: int, name: str) -> Stamp | None:
    """Of an entry of a folder; None for a folder, and for what is gone since it was read."""
    if name.endswith("/"):
        return None
    try:
        status = os.stat(name.rpartition("/")[2], dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Stamp.of(status)


def _is_gone(entry: Found) -> bool:
    return entry.stamp is None and not entry.name.endswith("/")
