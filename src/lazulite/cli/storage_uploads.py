"""`storage blob upload` and `upload-batch`: files in checked blocks, several at a time.

Each block travels with its MD5, which the service checks; the MD5 of the whole file becomes a
property of the blob. Memory is bounded by the blocks that are under way.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import mimetypes
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.http import Answer
from lazulite.cli.parallel import threads
from lazulite.cli.progress import Progress
from lazulite.cli.storage_access import Account, Storage
from lazulite.cli.storage_arguments import StorageArguments
from lazulite.cli.storage_blobs import PARALLEL, conditions, container_of, metadata_headers
from lazulite.cli.storage_views import written

BLOCK = 8 << 20  # bytes; a smaller file is sent in one request
BLOCKS_LIMIT = 50_000


def upload(storage: Storage, arguments: StorageArguments) -> dict[str, Any]:
    """Upload a file; without --name, under the file's own. Refuses to replace unless told so."""
    file = Path(arguments.file).expanduser()
    if not file.is_file():
        message = f"--file {arguments.file!r} is not a file. A folder: `upload-batch`."
        raise CommandError("FileNotFound", message, exit_code=NOT_FOUND)
    url = storage.account.address(arguments.container_name, arguments.blob or file.name)
    with storage.progress(f"Uploading {file.name}", file.stat().st_size) as progress:
        headers = _headers(arguments, file)
        answer = _send(storage.account, url, file, headers, progress, _parallel(arguments))
    return written(answer)


def upload_batch(storage: Storage, arguments: StorageArguments) -> list[dict[str, Any]]:
    """Upload the files of a folder. Links and devices are left out, and named on stderr."""
    root = Path(arguments.source).expanduser()
    if not root.is_dir():
        raise CommandError("FileNotFound", f"{root} is not a folder.", exit_code=NOT_FOUND)
    container, folder = container_of(arguments.destination), arguments.destination_path.strip("/")
    files = {
        f"{folder}/{name}" if folder else name: file
        for name, file in sorted(_files(root, storage))
        if not arguments.pattern or fnmatch.fnmatchcase(name, arguments.pattern)
    }
    account = storage.account
    if arguments.dryrun:
        return [{"Blob": account.address(container, name)} for name in files]
    total = sum(file.stat().st_size for file in files.values())
    with (
        storage.progress(f"Uploading {len(files)} files", total) as progress,
        threads(_parallel(arguments), account.http) as pool,
    ):

        def send(name: str, file: Path) -> dict[str, Any]:
            url, headers = account.address(container, name), _headers(arguments, file)
            answer = written(_send(account, url, file, headers, progress, 1))
            kept = {"eTag": answer["etag"], "Last Modified": answer["lastModified"]}
            return {"Blob": url, "Type": headers["x-ms-blob-content-type"], **kept}

        return list(pool.map(send, files.keys(), files.values()))


def _send(
    account: Account,
    url: str,
    file: Path,
    headers: dict[str, str],
    progress: Progress,
    parallel: int,
) -> Answer:
    size = file.stat().st_size
    if size <= BLOCK:
        data = file.read_bytes()
        checked = {**headers, "x-ms-blob-type": "BlockBlob", "Content-MD5": _md5(data)}
        answer = account.send("PUT", url, checked, data)
        progress.add(size)
        return answer
    sender = _Blocks(account, url, progress, parallel)
    digest = sender.send(file, max(BLOCK, -(-size // BLOCKS_LIMIT)))
    named = "".join(f"<Latest>{one}</Latest>" for one in sender.ids)
    document = f"<BlockList>{named}</BlockList>".encode()
    checked = {**headers, "x-ms-blob-content-md5": digest}
    return account.send("PUT", url, checked, document, query={"comp": "blocklist"})


class _Blocks:
    """Sends the blocks of one file, a few at a time."""

    def __init__(self, account: Account, url: str, progress: Progress, parallel: int) -> None:
        self._account, self._url = account, url
        self._progress, self._parallel = progress, parallel
        self._room = threading.Semaphore(parallel)
        self.ids: list[str] = []

    def send(self, file: Path, size: int) -> str:
        """All of them; the MD5 of the file. Raises CommandError at the first that fails."""
        total = hashlib.md5(usedforsecurity=False)
        running: list[Future[None]] = []
        with file.open("rb") as source, threads(self._parallel, self._account.http) as pool:
            while data := source.read(size):
                total.update(data)
                self._room.acquire()
                running = [each for each in running if not _is_over(each)]
                name = base64.b64encode(f"{len(self.ids):010}".encode()).decode()
                self.ids.append(name)
                running.append(pool.submit(self._block, name, data))
            for each in running:
                each.result()
        return base64.b64encode(total.digest()).decode()

    def _block(self, name: str, data: bytes) -> None:
        try:
            query = {"comp": "block", "blockid": name}
            headers = {"Content-MD5": _md5(data)}
            self._account.send("PUT", self._url, headers, data, query=query)
            self._progress.add(len(data))
        finally:
            self._room.release()


def _is_over(work: Future[None]) -> bool:
    """Raises what it raised."""
    if work.done():
        work.result()
    return work.done()


def _headers(arguments: StorageArguments, file: Path) -> dict[str, str]:
    guessed, encoding = mimetypes.guess_type(file.name)
    kind = (None if encoding else guessed) or "application/octet-stream"
    headers = {
        **metadata_headers(arguments.metadata),
        **conditions(arguments),
        "x-ms-blob-content-type": arguments.content_type or kind,
        "x-ms-blob-content-encoding": arguments.content_encoding,
        "x-ms-blob-content-language": arguments.content_language,
        "x-ms-blob-content-disposition": arguments.content_disposition,
        "x-ms-blob-cache-control": arguments.content_cache,
    }
    if not any(conditions(arguments).values()) and not is_true(arguments.overwrite, default=False):
        headers["If-None-Match"] = "*"
    return headers


def is_true(given: str | None, *, default: bool) -> bool:
    """A flag that may have a value. Raises CommandError."""
    if given is None:
        return default
    if given.lower() in {"true", "yes", "1"}:
        return True
    if given.lower() in {"false", "no", "0"}:
        return False
    raise CommandError("UsageError", f"--overwrite {given!r} is neither true nor false.")


def _files(root: Path, storage: Storage) -> Iterator[tuple[str, Path]]:
    for folder, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = Path(folder, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                storage.report.note(f"{path} is neither a file nor a folder: left out.")
            elif path.is_file():
                yield path.relative_to(root).as_posix(), path


def _parallel(arguments: StorageArguments) -> int:
    return max(1, arguments.max_connections or PARALLEL)


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
