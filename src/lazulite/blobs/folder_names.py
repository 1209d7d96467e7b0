"""The sorted names in large folders, kept so that each page of a list need not read them anew.

A folder's times tell whether anything was added or removed, by whomever. As they move in steps,
names are only kept of folders that had been left alone for a while when they were read.
"""

from __future__ import annotations

import os
import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import overload

LARGE = 10_000  # names; smaller folders are read as fast as looked up
MOST = 500_000  # names; of larger folders none are kept
BYTES = 32 << 20  # that all names take
QUIET_NS = 1_000_000_000  # longer than any step of a file system's times

Version = tuple[int, int, int, int]
"""Device, number, mtime and ctime of a folder."""


class Names(Sequence[str]):
    """Sorted names, in little more memory than their letters."""

    def __init__(self, names: Sequence[str]) -> None:
        """names: sorted."""
        encoded = [name.encode() for name in names]
        ends = array("Q", bytes(8))
        for one in encoded:
            ends.append(ends[-1] + len(one))
        self._letters, self._ends = b"".join(encoded), ends
        self.size = len(self._letters) + ends.itemsize * len(ends)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """One name, or a list of them."""
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        return self._letters[self._ends[index] : self._ends[index + 1]].decode()


class FolderNames:
    """Of some folders. Safe to be used by several threads."""

    def __init__(self, least: int = LARGE, quiet_ns: int = QUIET_NS) -> None:
        """least: names that a folder must have; quiet_ns: for how long it must be unchanged."""
        self._least, self._quiet_ns = least, quiet_ns
        self._kept: OrderedDict[tuple[int, int], tuple[Version, Names]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, version: Version) -> Names | None:
        """The names of a folder, if they are known of this version."""
        with self._lock:
            known, names = self._kept.get(version[:2], (None, None))
            if known != version:
                return None
            self._kept.move_to_end(version[:2])
            return names

    def keep(self, version: Version, names: Sequence[str]) -> None:
        """Remember them. version: of the folder, before and after the names were read."""
        if not self._least <= len(names) <= MOST:
            return
        if time.time_ns() - max(version[2:]) < self._quiet_ns:
            return
        compact = Names(sorted(names))
        with self._lock:
            self._kept[version[:2]] = version, compact
            self._kept.move_to_end(version[:2])
            while sum(kept.size for _, kept in self._kept.values()) > BYTES:
                self._kept.popitem(last=False)


def version_of(descriptor: int) -> Version:
    """What a folder is like now."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
