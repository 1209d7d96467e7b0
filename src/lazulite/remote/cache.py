"""Where brought data lies: one folder for each content, whole or not there at all.

{root}/{key}/data/...        the files
{root}/{key}/entry.json      written last; its time is that of the last use
{root}/.{key}/data/...       what is being brought; a broken try is continued there
{root}/.{key}/parts/...      files that have begun to come, by the hashes of their paths
{root}/.gone-...             what is being removed
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from lazulite.fetch.errors import too_large
from lazulite.store.files import read_json, write_json

ABANDONED_S = 7 * 86400  # without an end, what was being brought is thrown away
GONE = ".gone-"  # begins the names of what is being removed
SPARED_S = 3600  # after its last use, an entry may be about to be read by a job


def _is_good(folder: Path) -> bool:
    """Whether it is an entry, or one that can still become one."""
    if not folder.name.startswith("."):
        return (folder / "entry.json").exists()
    fresh = time.time() - folder.stat().st_mtime <= ABANDONED_S
    return fresh and (folder / "parts").is_dir()


def part_of(data: Path, path: str) -> Path:
    """Where a file of an unfinished entry grows, whatever its name: no other file does there."""
    return data.with_name("parts") / hashlib.sha256(path.encode()).hexdigest()


class Cache:
    """The entries of one root folder. Every method may be called from any thread."""

    def __init__(self, root: Path, limit: int, in_use: Callable[[], Collection[str]]) -> None:
        """limit: bytes of all entries; in_use: the keys that unfinished jobs read.

        Removes what was abandoned long ago, and what a crash left half made or half removed.
        """
        self._root, self.limit, self._in_use = root, limit, in_use
        self._making = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        for folder in root.iterdir():
            if not _is_good(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def find(self, key: str) -> Path | None:
        """The data of an entry, which counts as used now; None if it is not there."""
        entry = self._root / key / "entry.json"
        with self._making:  # it must not go between the two
            if not entry.exists():
                return None
            os.utime(entry)
        return entry.parent / "data"

    @property
    def nowhere(self) -> Path:
        """A folder that is never there."""
        return self._root / "nowhere"

    @contextlib.contextmanager
    def making(self, key: str) -> Iterator[None]:
        """One thread at a time makes an entry."""
        with self._making:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield

    def unfinished(self, key: str, size: int) -> Path:
        """The folder to bring an entry's files to, once there is room for so many bytes.

        Removes entries that were not used for long. Raises FetchError if there is no room.
        """
        with self._making:
            self._make_room(size)
            folder = self._root / f".{key}"
            for part in ("parts", "data"):
                (folder / part).mkdir(parents=True, exist_ok=True)
        return folder / "data"

    def finish(self, key: str, source: str, size: int) -> Path:
        """The unfinished files become the entry, durably; where they are from now on."""
        unfinished = self._root / f".{key}"
        shutil.rmtree(unfinished / "parts")
        os.sync()
        write_json(unfinished / "entry.json", {"source": source, "bytes": size})
        unfinished.rename(self._root / key)
        return self._root / key / "data"

    def _make_room(self, size: int) -> None:
        sizes = self._entries()
        spare = self.limit - size - sum(sizes.values())
        if spare < 0:
            removable = sorted(self._removable(sizes))
            for _, key in removable:
                self._remove(key)
                spare += sizes[key]
                if spare >= 0:
                    break
        if spare < 0:
            raise too_large(
                f"The data have {size} bytes, and of {self.limit} bytes for data of other servers "
                f"{max(0, spare + size)} are free: raise LAZULITE_FETCHED_GIB, or let jobs end.",
            )

    def _remove(self, key: str) -> None:
        """In one step: no half of an entry is ever found."""
        grave = Path(tempfile.mkdtemp(prefix=GONE, dir=self._root))
        (self._root / key).rename(grave / key)
        shutil.rmtree(grave, ignore_errors=True)

    def _entries(self) -> dict[str, int]:
        """Bytes by key."""
        found = {}
        for entry in self._root.glob("[!.]*/entry.json"):
            found[entry.parent.name] = int((read_json(entry) or {}).get("bytes", 0))
        return found

    def _removable(self, keys: Collection[str]) -> Iterator[tuple[float, str]]:
        """When an entry was used last, and its key; not of those that are in use."""
        in_use, now = self._in_use(), time.time()
        for key in keys:
            used = (self._root / key / "entry.json").stat().st_mtime
            if key not in in_use and now - used > SPARED_S:
                yield used, key
