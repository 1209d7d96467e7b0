"""Blobs whose names cannot be paths: kept in a private tree, under their names in base64.

    "a//b", "/a", "a/"          no file can have an empty name
    a segment over 255 bytes    nor so long a one
    "a" beside "a/b"            "a" cannot be a file and a folder

So every name that Azure allows is a blob; only jobs, which read files in place, do not see these.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from pathlib import Path

from lazulite.blobs.listing import Found, Query, lowest_name
from lazulite.blobs.tree import Tree, make_folder

PIECE = 200  # characters of a name in base64 that one folder or file has
FOLDER, FILE = "-", "="  # begin the names of folders and files, so that neither takes the other's


class Aside:
    """The blobs that lie aside, and their names in memory. All calls but has() block."""

    def __init__(self, root: Path) -> None:
        """root: on the file system of the blobs; ours alone."""
        self.tree = Tree(root)
        self._names: dict[tuple[str, str], list[str]] = {}
        self._locks: dict[tuple[str, str], threading.Lock] = {}

    def alone(self, container: tuple[str, str]) -> threading.Lock:
        """Held while blobs of a container come or go, and while it comes or goes itself."""
        return self._locks.setdefault(container, threading.Lock())

    def containers(self) -> list[tuple[str, str]]:
        """Those that have, or had, blobs here."""
        return [(folder.parent.name, folder.name) for folder in self.tree.root.glob("*/*")]

    def start(self) -> None:
        """Read the names. Before any other call."""
        self.tree.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder, _, files, _ in os.fwalk(self.tree.root):  # paths may be longer than allowed
            for file in files:
                parts = (*Path(folder).relative_to(self.tree.root).parts, file)
                self._add((parts[0], parts[1]), _decoded(parts[2:]))

    def has(self, parts: Sequence[str]) -> bool:
        """Whether the blob lies aside."""
        names = self._names.get((parts[0], parts[1]))
        return names is not None and _is_in(names, "/".join(parts[2:]))

    def all(self) -> list[tuple[str, ...]]:
        """The parts of each."""
        pairs = self._names.items()
        return [(*container, *name.split("/")) for container, names in pairs for name in names]

    def place(self, parts: Sequence[str]) -> tuple[str, ...]:
        """Where it lies, or would lie, in the tree."""
        text = base64.urlsafe_b64encode("/".join(parts[2:]).encode()).decode().rstrip("=")
        pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
        return (*parts[:2], *(FOLDER + piece for piece in pieces[:-1]), FILE + pieces[-1])

    def move_in(self, source: Path, parts: Sequence[str]) -> None:
        """Make a staged file the blob, durably."""
        account, container = parts[:2]
        with self.tree.folder(()) as root:
            make_folder(root, account)
        with self.tree.folder((account,)) as folder:
            make_folder(folder, container)
        self.tree.move_in(source, self.place(parts))
        self._add((account, container), "/".join(parts[2:]))

    def remove(self, parts: Sequence[str]) -> None:
        """Delete the blob, durably. Raises FileNotFoundError."""
        names, name = self._names.get((parts[0], parts[1]), []), "/".join(parts[2:])
        self.tree.remove(self.place(parts))
        if _is_in(names, name):
            names.remove(name)

    def forget(self, container: tuple[str, str]) -> None:
        """All blobs of a container are gone."""
        self._names.pop(container, None)

    def found(self, container: tuple[str, str], query: Query) -> Iterator[Found]:
        """Those of a container, in order. query: prefix and marker bound it."""
        names = self._names.get(container, [])
        for name in names[bisect_left(names, lowest_name(query)) :]:
            if not name.startswith(query.prefix):
                return
            stamp = self.tree.stamp(self.place((*container, name)))
            if stamp is not None:
                yield Found(name, stamp)

    def _add(self, container: tuple[str, str], name: str) -> None:
        names = self._names.setdefault(container, [])
        if name and not _is_in(names, name):
            insort(names, name)


def _is_in(names: Sequence[str], name: str) -> bool:
    place = bisect_left(names, name)
    return place < len(names) and names[place] == name


def _decoded(pieces: Sequence[str]) -> str:
    """The name; "" for a file that is none of ours."""
    text = "".join(piece[1:] for piece in pieces)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeError):
        return ""
