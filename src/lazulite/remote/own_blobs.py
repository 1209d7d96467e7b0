"""Blobs of this server that lie in an object store, brought to its disk for jobs to read.

Blocks; meant for a thread of its own. What has not changed since is not brought again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from lazulite.blobs.back_end import BackEnd
from lazulite.blobs.listing import Query
from lazulite.blobs.values import Stamp
from lazulite.fetch.errors import not_reachable
from lazulite.remote.bringing import Progress, checked_path, refuse_clashes
from lazulite.remote.cache import Cache

AT_ONCE = 8  # files of one source


@dataclasses.dataclass(frozen=True)
class OwnBlobs:
    """A blob, or those below a prefix; path "": the whole container."""

    account: str
    container: str
    path: str

    @property
    def shown(self) -> str:
        """For people."""
        return "/".join(part for part in (self.account, self.container, self.path) if part)


class Wanted(NamedTuple):
    """A blob of the source."""

    name: str
    stamp: Stamp


@dataclasses.dataclass(frozen=True)
class OwnBringing:
    """Blobs on their way."""

    source: OwnBlobs
    back_end: BackEnd
    cache: Cache
    stop: threading.Event
    progress: Progress = dataclasses.field(default_factory=Progress)

    def run(self) -> Path:
        """The file, or the folder, with the name that it has; where nothing is, if it is not there.

        Raises FetchError, BlobError where the store fails, and OSError.
        """
        wanted = self._wanted()
        if not wanted:
            return self.cache.nowhere / self.source.path
        key = self._key(wanted)
        with self.cache.making(key):
            data = self.cache.find(key) or self._brought(key, wanted)
        return data / self.source.path.rpartition("/")[2]

    def _wanted(self) -> list[Wanted]:
        """The blob, or those below."""
        path, keeper = self.source.path, self.back_end
        if path and (stamp := keeper.blobs.stamp(self._parts(path))):
            return [Wanted(path, stamp)]
        query = Query(prefix=f"{path}/" if path else "")
        walk = keeper.containers.walk((self.source.account, self.source.container), query)
        return [Wanted(one.name, one.stamp) for one in walk if one.stamp]

    def _path(self, name: str) -> str:
        """From the last part of what was named on: that is what users find under AZUREML_*."""
        above = "".join(self.source.path.rpartition("/")[:2])
        return checked_path(name.removeprefix(above), self.source.shown)

    def _brought(self, key: str, wanted: list[Wanted]) -> Path:
        total = sum(one.stamp.size for one in wanted)
        paths = [self._path(one.name) for one in wanted]
        refuse_clashes(paths, self.source.shown)
        self.progress.total = total
        folder = self.cache.unfinished(key, total)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bringing") as pool:
            list(pool.map(self._file, wanted, (folder / path for path in paths)))
        return self.cache.finish(key, self.source.shown, total)

    def _file(self, wanted: Wanted, target: Path) -> None:
        """Bring one, unless a try that broke off has done so."""
        if self.stop.is_set():
            raise not_reachable(self.source.shown, "the server stops")
        if not (target.exists() and target.stat().st_size == wanted.stamp.size):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._download(wanted.name, wanted.stamp, target)
        self.progress.files += 1

    def _download(self, name: str, stamp: Stamp, target: Path) -> None:
        contents = self.back_end.blobs.open(self._parts(name))
        if contents is None or contents.stamp != stamp:
            raise not_reachable(self.source.shown, f"{name!r} changed meanwhile", 412)
        try:
            with target.open("wb", buffering=0) as file:
                contents.pour(0, stamp.size, file.fileno())
        except BaseException as error:
            target.unlink()  # the next try must not take it for a whole one
            if isinstance(error, EOFError):
                why = f"{name!r} changed while it was read"
                raise not_reachable(self.source.shown, why, 412) from error
            raise
        finally:
            contents.close()
        self.progress.arrived(stamp.size)

    def _parts(self, name: str) -> tuple[str, ...]:
        return (self.source.account, self.source.container, *name.split("/"))

    def _key(self, wanted: list[Wanted]) -> str:
        """One for each content: names and versions."""
        said = [self.source.shown, [[one.name, one.stamp.etag] for one in wanted]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]
