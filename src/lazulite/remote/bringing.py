"""Bringing a source into the cache. Blocks; meant for a thread of its own.

What is there under the same names, sizes and ETags is not fetched again; a broken try goes on
where it ended.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lazulite.blobs.patterns import matches
from lazulite.blobs.references import Shape
from lazulite.fetch.download import download, head
from lazulite.fetch.errors import NOT_REACHABLE, FetchError, not_reachable
from lazulite.fetch.session import Fetcher, Session
from lazulite.remote.cache import Cache, part_of
from lazulite.remote.container import VERSION, Container, Entry
from lazulite.remote.sources import Blobs, Source, WebFile

AT_ONCE = 8  # files of one source
TRIES = 3
MOST_FILES = 1_000_000
NAME_BYTES = 255


@dataclasses.dataclass
class Progress:
    """How far it is. Counted by many threads, read by others: good enough to be shown."""

    bytes: int = 0
    total: int | None = None
    files: int = 0

    def arrived(self, size: int) -> None:
        """Count bytes."""
        self.bytes += size


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One file: where it is, and its path in the entry."""

    url: str = dataclasses.field(repr=False)
    path: str
    size: int | None
    etag: str


@dataclasses.dataclass(frozen=True)
class Bringing:
    """One source on its way."""

    source: Source
    fetcher: Fetcher
    cache: Cache
    stop: threading.Event
    progress: Progress = dataclasses.field(default_factory=Progress)

    def run(self) -> Path:
        """The file, or the folder with the files, on this machine. Raises FetchError, OSError."""
        with self.fetcher.session(self.stop) as session:
            wanted, is_file = self._wanted(session)
        key = _key(self.source, wanted)
        with self.cache.making(key):
            data = self.cache.find(key) or self._brought(key, wanted)
        return data / wanted[0].path if is_file else data

    def _wanted(self, session: Session) -> tuple[list[Wanted], bool]:
        if isinstance(self.source, WebFile):
            return [_web_file(session, self.source)], True
        container = Container(self.source.container, self.source.signature)
        if found := _blob(session, container, self.source):
            return [found], True
        return _below(session, container, self.source), False

    def _brought(self, key: str, wanted: Sequence[Wanted]) -> Path:
        total = sum(file.size or 0 for file in wanted)
        self.progress.total = total
        folder = self.cache.unfinished(key, total)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bringing") as pool:
            shares = [wanted[start::AT_ONCE] for start in range(AT_ONCE)]
            halt = threading.Event()
            work = [pool.submit(self._share, share, folder, halt) for share in shares if share]
            for done in work:
                done.result()
        return self.cache.finish(key, self.source.shown, max(total, self.progress.bytes))

    def _share(self, wanted: Sequence[Wanted], folder: Path, halt: threading.Event) -> None:
        """Bring some of the files; the first failure of any share ends them all."""
        with self.fetcher.session(self.stop) as session:
            for file in wanted:
                if halt.is_set():
                    return
                try:
                    self._file(session, file, folder)
                except BaseException:
                    halt.set()
                    raise

    def _file(self, session: Session, file: Wanted, folder: Path) -> None:
        target, part = folder / file.path, part_of(folder, file.path)
        if not (target.exists() and target.stat().st_size == file.size):
            target.parent.mkdir(parents=True, exist_ok=True)
            _tried(lambda: self._download(session, file, target, part))
        self.progress.files += 1

    def _download(self, session: Session, file: Wanted, target: Path, part: Path) -> None:
        arrived = self.progress.arrived
        found = download(session, file.url, target, part, headers=VERSION, arrived=arrived)
        if found.etag and file.etag.strip('"') != found.etag.strip('"'):
            target.unlink()
            raise not_reachable(self.source.shown, "it changed while it was fetched", 412)


def _web_file(session: Session, source: WebFile) -> Wanted:
    said = head(session, source.url)
    if said is None:
        raise not_reachable(source.shown, "the server answered 404; check the path", 404)
    name = unquote(urlsplit(source.url).path).rpartition("/")[2] or "data"
    etag = said.etag or said.modified or uuid.uuid4().hex  # without a word, it may have changed
    return Wanted(source.url, checked_path(name, source.shown), said.size, etag)


def _blob(session: Session, container: Container, source: Blobs) -> Wanted | None:
    """The one blob that the source is; None if it is a folder."""
    if not source.path or source.shape is Shape.FOLDER:
        return None
    said = container.head(session, source.path)
    if said is None:
        if source.shape is Shape.FILE:
            raise not_reachable(source.shown, "there is no such blob; check the path", 404)
        return None
    name = source.path.rpartition("/")[2]
    url = container.address(source.path)
    return Wanted(url, checked_path(name, source.shown), said.size, said.etag)


def _below(session: Session, container: Container, source: Blobs) -> list[Wanted]:
    prefix = f"{source.path}/" if source.path else ""
    found = []
    for entry in container.list(session, prefix):
        path = entry.name.removeprefix(prefix)
        if path and not path.endswith("/") and matches(source.pattern, path):
            found.append(_of_list(container, entry, checked_path(path, source.shown)))
        if len(found) > MOST_FILES:
            raise not_reachable(source.shown, f"there are more than {MOST_FILES} blobs")
    folders = {parent for file in found for parent in _parents(file.path)}
    found = [file for file in found if file.path not in folders or file.size]  # marks of folders
    refuse_clashes([file.path for file in found], source.shown)
    if not found:
        raise not_reachable(
            source.shown, "there is no blob of that name or below it; check the path", 404
        )
    return found


def _of_list(container: Container, entry: Entry, path: str) -> Wanted:
    return Wanted(container.address(entry.name), path, entry.size, entry.etag)


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def refuse_clashes(paths: Sequence[str], shown: str) -> None:
    """Raises FetchError for a file that has the name of a folder."""
    folders = {parent for path in paths for parent in _parents(path)}
    if clash := next((path for path in paths if path in folders), None):
        raise not_reachable(shown, f"{clash!r} is both a blob and a folder")


def checked_path(path: str, shown: str) -> str:
    """The path, which another server has said, if it is a plain one. Raises FetchError."""
    parts = path.split("/")
    long = any(len(part.encode(errors="replace")) > NAME_BYTES for part in parts)
    if long or {"", ".", ".."} & set(parts) or {"\0", "\\"} & set(path):
        raise not_reachable(shown, f"{path[:200]!r} cannot be the name of a file here")
    return path


def _key(source: Source, wanted: Sequence[Wanted]) -> str:
    """One for each content: addresses without signatures, names, sizes and ETags."""
    where = source.shown if isinstance(source, WebFile) else source.container
    said = [[file.path, file.size, file.etag] for file in wanted]
    path = source.path if isinstance(source, Blobs) else ""
    return hashlib.sha256(json.dumps([where, path, said]).encode()).hexdigest()[:32]


def _tried(fetch: Callable[[], object]) -> None:
    """Again after what may pass: a broken connection or an error of the other server."""
    for _ in range(TRIES - 1):
        try:
            fetch()
        except FetchError as error:
            if error.code != NOT_REACHABLE or 400 <= (error.status or 0) < 500:
                raise
        else:
            return
    fetch()
