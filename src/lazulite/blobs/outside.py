"""Copy sources on other servers: fetched at checked addresses and within limits, by `fetch`.

Source: spec/SECURITY.md 2.4; "Copy Blob From URL", learn.microsoft.com.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime

from lazulite.blobs.errors import BlobError
from lazulite.blobs.names import BlobAddress
from lazulite.blobs.values import DEFAULT_CONTENT_TYPE, Blob, Properties, Stamp
from lazulite.fetch.errors import FetchError
from lazulite.fetch.session import Answer, Fetcher

AT_A_TIME = 8  # sources that are read; more of them wait
PASSED_ON = frozenset({401, 403, 404, 409})
"""Answers of a source that are the answer of the copy, too, as with Azure."""
CONDITIONS = frozenset({304, 412})
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class OutsideSources:
    """Opens URLs of other servers. One for a server; close it at its end."""

    def __init__(self, fetcher: Fetcher) -> None:
        """fetcher: decides what may be reached."""
        self._fetcher, self._stop = fetcher, threading.Event()
        self._threads = ThreadPoolExecutor(AT_A_TIME, "copy-source")

    async def open(self, url: str, headers: Mapping[str, str]) -> Outside:
        """Ask for it. headers: range, conditions and credentials, as they are sent.

        Raises BlobError: CannotVerifyCopySource with the reason, SourceConditionNotMet.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._open, url, headers)

    def close(self) -> None:
        """End what is being read, with an error."""
        self._stop.set()
        self._threads.shutdown(wait=False)

    def _open(self, url: str, headers: Mapping[str, str]) -> Outside:
        with ExitStack() as held, _told():
            session = held.enter_context(self._fetcher.session(self._stop))
            answer = held.enter_context(session.get(url, headers))
            _check(answer)
            blob, span = _blob(answer)
            return Outside(blob, span, answer, (held.pop_all(), self._threads))


class Outside:
    """An answer of another server as the source of a copy; its bytes can be read once."""

    def __init__(
        self,
        blob: Blob,
        span: tuple[int, int],
        answer: Answer,
        held: tuple[ExitStack, ThreadPoolExecutor],
    ) -> None:
        """span: the bytes of the blob that were sent; held: closed by close(), and reads."""
        self.blob, self._span, self._answer = blob, span, answer
        self._held, self._threads = held

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from start up to stop, which must be those that were asked for."""
        if (start, stop) != self._span:
            raise _refused("it does not answer with the range that was asked for")
        loop, pieces = asyncio.get_running_loop(), self._answer.chunks()
        while piece := await loop.run_in_executor(self._threads, _next, pieces):
            yield piece

    def close(self) -> None:
        """Hang up."""
        self._held.close()


def _next(pieces: Iterator[bytes]) -> bytes:
    with _told():
        return next(pieces, b"")


@contextmanager
def _told() -> Iterator[None]:
    """Tells the caller why something was not fetched."""
    try:
        yield
    except FetchError as error:
        raise BlobError("CannotVerifyCopySource", error.message) from error


def _check(answer: Answer) -> None:
    """Raises BlobError for an answer that is not the blob."""
    if answer.status in CONDITIONS:
        raise BlobError("SourceConditionNotMet")
    if answer.status == 416:
        raise BlobError("InvalidRange")
    if answer.status not in {200, 206}:
        status = answer.status if answer.status in PASSED_ON else None
        raise _refused(f"its server answered {answer.status}", status)


def _blob(answer: Answer) -> tuple[Blob, tuple[int, int]]:
    """What is said of the blob, and which of its bytes are coming."""
    headers = answer.headers
    found = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    length = headers.get("Content-Length", "")
    if answer.status == 206 and found:
        start, stop, size = int(found[1]), int(found[2]) + 1, int(found[3])
    elif answer.status == 200 and length.isdecimal():
        start, stop, size = 0, int(length), int(length)
    else:
        raise _refused("its server does not say how long it is")
    stamp = Stamp(size, _time_ns(headers.get("Last-Modified", "")))
    return Blob(BlobAddress("", "", ""), stamp, _properties(answer)), (start, stop)


def _properties(answer: Answer) -> Properties:
    headers = answer.headers
    own = "x-ms-meta-"
    metadata = {
        name.lower().removeprefix(own): value
        for name, value in headers.items()
        if name.lower().startswith(own)
    }
    return Properties(
        content_type=headers.get("Content-Type", DEFAULT_CONTENT_TYPE),
        content_language=headers.get("Content-Language", ""),
        content_disposition=headers.get("Content-Disposition", ""),
        cache_control=headers.get("Cache-Control", ""),
        md5=_md5(headers.get("Content-MD5", "")) if answer.status == 200 else None,
        metadata=metadata,
    )


def _md5(text: str) -> bytes | None:
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return digest if len(digest) == 16 else None


def _time_ns(date: str) -> int:
    try:
        return int(parsedate_to_datetime(date).timestamp()) * 1_000_000_000
    except ValueError:
        return 0


def _refused(why: str, status: int | None = None) -> BlobError:
    return BlobError("CannotVerifyCopySource", f"The source cannot be read: {why}.", status=status)
