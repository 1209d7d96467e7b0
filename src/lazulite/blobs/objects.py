"""An object store of some cloud, through obstore, whose only importer this is.

All calls block; run them in threads. Raises BlobError ServerBusy where the store does not answer
or refuses the server: why is for the log, not for clients.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore import exceptions
from obstore.store import MemoryStore, ObjectStore, from_url

from lazulite.blobs.errors import BlobError
from lazulite.core.settings import SettingError

log = logging.getLogger(__name__)

VERSION = "lazuliteversion"  # a metadata name that every cloud allows
PART = 8 << 20  # bytes of one part of an upload
PARTS = 9000  # of one upload; clouds allow 10,000
AT_A_TIME = 4  # parts
PATIENCE = timedelta(seconds=30)  # for tries of one request
TIMEOUT = timedelta(seconds=120)  # of one try: joining the parts of a large upload takes a while
RETRIES = 5
KEY_BYTES = 1024  # of an object's key, on every cloud
CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # which no object's name can have


@dataclasses.dataclass(frozen=True)
class FoundObject:
    """An object as it was at one moment."""

    name: str
    size: int  # bytes
    modified: datetime
    e_tag: str  # without quotes
    version: int | None = None
    """What put() was given; None also where it was not asked for."""


class Objects:
    """Objects below a prefix, by their names, which are the keys without the prefix."""

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        """prefix: what the store puts before the names, without a slash at the end."""
        self._store = store
        self.longest = KEY_BYTES - len(f"{prefix}/".encode()) if prefix else KEY_BYTES
        """Bytes that a name may have."""

    def head(self, name: str) -> FoundObject | None:
        """The object without its bytes; None if it is not there."""
        with _told():
            try:
                found = obstore.get(self._store, name, options={"head": True})
            except FileNotFoundError:
                return None
            version = found.attributes.get(VERSION, "")
            return _found(found.meta, int(version) if version.isdecimal() else None)

    def put(self, name: str, source: Path | bytes, version: int | None = None) -> str:
        """Write an object, whole or not at all; the ETag that it got."""
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        with _told():
            try:
                done = obstore.put(
                    self._store,
                    name,
                    source,
                    attributes={VERSION: str(version)} if version is not None else {},
                    chunk_size=max(PART, size // PARTS),
                    max_concurrency=AT_A_TIME,
                )
            except FileNotFoundError as error:  # of an upload in parts that came to nothing
                raise exceptions.GenericError(str(error)) from error
        return _bare(done["e_tag"])

    def read(self, name: str, e_tag: str, start: int, stop: int) -> bytes:
        """A stretch that is not empty. Raises EOFError if the object is not that one any more."""
        with _told():
            try:
                asked = {"range": (start, stop), "if_match": f'"{e_tag}"'}
                return bytes(obstore.get(self._store, name, options=asked).bytes())  # type: ignore[arg-type]
            except (exceptions.PreconditionError, FileNotFoundError) as error:
                raise EOFError(f"the object {name!r} was replaced while it was read") from error

    def copy(self, source: str, target: str) -> None:
        """Within the store, without a way through this server. Raises FileNotFoundError."""
        with _told():
            obstore.copy(self._store, source, target)

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects. Those that are not there are gone already."""
        with _told():
            try:
                obstore.delete(self._store, list(names))
            except FileNotFoundError:
                return

    def remove_below(self, folder: str) -> None:
        """Delete all objects below a folder, page by page."""
        for page in self.listed(folder):
            self.remove(one.name for one in page)

    def listed(self, folder: str, after: str = "", page: int = 1000) -> Iterator[list[FoundObject]]:
        """All objects below a folder, in the order of their names, behind one name.

        No page is empty. A key that ends in a slash, as marks of folders do, is told without it.
        """
        with _told():
            stream = obstore.list(
                self._store, folder or None, offset=after or None, chunk_size=page
            )
        while True:
            with _told():
                found = next(stream, None)
            if not found:
                return
            behind = max(after, folder)  # Azure lists from a name on, Azurite from the beginning
            if named := [_found(one) for one in found if one["path"] > behind]:
                yield named

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder."""
        with _told():
            found = obstore.list_with_delimiter(self._store, folder or None)
        return sorted(name.rpartition("/")[2] for name in found["common_prefixes"])


def open_objects(url: str) -> Objects:
    """Objects at s3://bucket/prefix, az://container/prefix, gs://bucket/prefix or memory://.

    Endpoint and credentials come from the environment variables of each cloud. Nothing is asked
    yet. Raises SettingError for variables that cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return Objects(MemoryStore())
    retries = {"max_retries": RETRIES, "retry_timeout": PATIENCE}
    client = {"allow_http": True, "timeout": TIMEOUT}
    try:
        store = from_url(url.rstrip("/"), retry_config=retries, client_options=client)  # type: ignore[call-overload]
    except (exceptions.BaseError, ValueError) as error:
        raise SettingError("InvalidSetting", f"blobs={url!r} cannot be used: {error}") from error
    return Objects(store, parts.path.strip("/"))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except exceptions.InvalidPathError as error:
        message = (
            "An object's key is no blob's name, for it has an empty segment or a control "
            f"character: {str(error).splitlines()[0][:300]}. Rename it in the object store."
        )
        raise BlobError("InternalError", message) from error
    except exceptions.BaseError as error:
        log.warning("the object store failed", exc_info=True)
        raise BlobError("ServerBusy", "The object store behind this server failed.") from error


def _found(meta: obstore.ObjectMeta, version: int | None = None) -> FoundObject:
    e_tag = _bare(meta["e_tag"])
    return FoundObject(meta["path"], meta["size"], meta["last_modified"], e_tag, version)


def _bare(e_tag: str | None) -> str:
    """Without quotes: Azure has them in headers and leaves them out in lists."""
    return (e_tag or "").removeprefix("W/").strip('"')
