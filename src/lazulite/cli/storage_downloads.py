"""`storage blob download` and `download-batch`: into a private file, checked, then to its place."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.http import Answer
from lazulite.cli.parallel import threads
from lazulite.cli.progress import Progress
from lazulite.cli.storage_access import Account, Storage
from lazulite.cli.storage_arguments import StorageArguments
from lazulite.cli.storage_blobs import PARALLEL, conditions, container_of, matching
from lazulite.cli.storage_uploads import is_true
from lazulite.cli.storage_views import blob_headers

RANGE = 8 << 20  # bytes of one request
_READ = 1 << 20  # bytes


def download(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """Download a blob in ranges of one version; a file that is there is replaced."""
    account, place = storage.account, Path(arguments.file).expanduser()
    if place.exists() and not is_true(arguments.overwrite, default=True):
        raise CommandError("FileExists", f"{place} is there: give --overwrite to replace it.")
    url, query = account.address(arguments.container_name, arguments.blob), {}
    if arguments.snapshot:
        query["snapshot"] = arguments.snapshot
    head = account.send("HEAD", url, conditions(arguments), query=query)
    size = int(head.headers["content-length"])
    with storage.progress(f"Downloading {arguments.blob}", size) as progress:
        fetch = _Fetch(account, url, query, progress)
        fetch.to(place, head, max(1, arguments.max_connections or PARALLEL))
    return blob_headers(head, arguments.blob, arguments.container_name)


def download_batch(storage: Storage, arguments: StorageArguments) -> list[str]:
    """Download the blobs of a container below a folder; their names.

    Raises CommandError, before anything is written, if one of the names leads out of the folder.
    """
    account, container = storage.account, container_of(arguments.source)
    root = Path(arguments.destination).expanduser()
    if not root.is_dir():
        message = f"--destination {root} is not a folder: make it first."
        raise CommandError("FileNotFound", message, exit_code=NOT_FOUND)
    places = places_of(matching(storage, container, arguments.pattern), root)
    if arguments.dryrun:
        return list(places)
    if not is_true(arguments.overwrite, default=False):
        _check_new(places)
    parallel = max(1, arguments.max_connections or PARALLEL)
    with (
        storage.progress(f"Downloading {len(places)} blobs", 0) as progress,
        threads(parallel, account.http) as pool,
    ):

        def fetch(name: str, place: Path) -> None:
            url = account.address(container, name)
            head = account.send("HEAD", url)
            _make_folders(root, place)
            _Fetch(account, url, {}, progress).to(place, head, 1)

        list(pool.map(fetch, places.keys(), places.values()))
    return list(places)


def places_of(names: Iterable[str], root: Path) -> dict[str, Path]:
    """Where each blob goes. Raises CommandError for a name that leads out of the folder.

    Links that lie in the folder are not followed either. Source: spec/SECURITY.md 2.2.
    """
    places = {}
    for name in names:
        if not _is_plain(name):
            raise _unsafe(name, root)
        place = root.joinpath(*name.split("/"))
        if not place.parent.resolve().is_relative_to(root.resolve()):
            raise _unsafe(name, root)
        places[name] = place
    folders = {above for place in places.values() for above in place.parents}
    for name, place in places.items():
        if place in folders or place.is_dir():
            message = f"The blob {name!r} cannot be a file: {place} is a folder."
            raise CommandError("FileExists", message)
    return places


def _is_plain(name: str) -> bool:
    segments = name.split("/")
    return "\0" not in name and "\\" not in name and not {"", ".", ".."} & set(segments)


def _unsafe(name: str, root: Path) -> CommandError:
    message = (
        f"The blob {name!r} has no place below {root}: its name leads out of it, or through a link."
        " Nothing was downloaded; leave it out with --pattern, or take it alone with `download`."
    )
    return CommandError("UnsafePath", message)


def _check_new(places: Mapping[str, Path]) -> None:
    there = [str(place) for place in places.values() if place.exists() or place.is_symlink()]
    if there:
        message = f"{there[0]} is there ({len(there)} of them): give --overwrite to replace them."
        raise CommandError("FileExists", message)


def _make_folders(root: Path, place: Path) -> None:
    """Raises CommandError if somebody has put a link there since it was looked at."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.parent.resolve().is_relative_to(root.resolve()):
        raise _unsafe(place.name, root)


class _Fetch:
    """One blob, in ranges of one version."""

    def __init__(
        self, account: Account, url: str, query: Mapping[str, str], progress: Progress
    ) -> None:
        self._account, self._url, self._query = account, url, query
        self._progress = progress

    def to(self, place: Path, head: Answer, parallel: int) -> None:
        """Write it to its place in one step. Raises CommandError if it arrives damaged."""
        size = int(head.headers["content-length"])
        descriptor, name = tempfile.mkstemp(prefix=".download.", dir=place.parent)
        part = Path(name)
        try:
            try:
                self._ranges(descriptor, size, head.headers["etag"], parallel)
                _check(descriptor, size, head.headers.get("content-md5", ""), self._url)
                os.fchmod(descriptor, 0o644)
            finally:
                os.close(descriptor)
            part.replace(place)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _ranges(self, descriptor: int, size: int, etag: str, parallel: int) -> None:
        starts = range(0, size, RANGE)

        def one(start: int) -> None:
            self._range(descriptor, start, min(start + RANGE, size), etag)

        if parallel == 1 or len(starts) < 2:
            for start in starts:
                one(start)
            return
        with threads(min(parallel, len(starts)), self._account.http) as pool:
            list(pool.map(one, starts))

    def _range(self, descriptor: int, start: int, stop: int, etag: str) -> None:
        headers = {"x-ms-range": f"bytes={start}-{stop - 1}", "If-Match": etag}
        answer = self._account.send("GET", self._url, headers, query=self._query)
        data = memoryview(answer.body)
        if len(data) != stop - start:
            raise _damaged(self._url, f"{len(data)} of {stop - start} bytes arrived")
        while data:
            written = os.pwrite(descriptor, data, start)
            data, start = data[written:], start + written
        self._progress.add(len(answer.body))


def _check(descriptor: int, size: int, md5: str, url: str) -> None:
    """What lies in the file against what the service says of the blob."""
    if not md5:
        return
    total = hashlib.md5(usedforsecurity=False)
    for start in range(0, size, _READ):
        total.update(os.pread(descriptor, _READ, start))
    found = base64.b64encode(total.digest()).decode()
    if found != md5:
        raise _damaged(url, f"its MD5 is {found}, that of the blob {md5}")


def _damaged(url: str, how: str) -> CommandError:
    message = f"The download of {url} is damaged: {how}. Nothing was written; try again."
    return CommandError("Md5Mismatch", message)
