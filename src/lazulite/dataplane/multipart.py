"""multipart/form-data, read to a file without holding it in memory. Source: RFC 7578."""

from __future__ import annotations

import contextlib
import dataclasses
import mmap
import tempfile
from collections.abc import AsyncIterator, Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import IO

from starlette.requests import Request

from lazulite.core.errors import ArmError

LARGEST_FORM = 512 * 1024 * 1024  # bytes
MOST_PARTS = 100
LONGEST_HEADER = 8192  # bytes, of one part


@dataclasses.dataclass(frozen=True)
class Part:
    """One field or file; good as long as the form is open."""

    name: str
    filename: str | None
    _form: mmap.mmap
    _start: int
    _stop: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self._stop - self._start

    def read(self) -> bytes:
        """All of it."""
        return self._form[self._start : self._stop]

    def save(self, path: Path) -> None:
        """Write it to a file."""
        with memoryview(self._form) as view, view[self._start : self._stop] as content:
            path.write_bytes(content)


@contextlib.asynccontextmanager
async def open_form(http: Request, largest: int = LARGEST_FORM) -> AsyncIterator[dict[str, Part]]:
    """The parts of a request's body by their names, the first of each name.

    Raises ArmError: 415 for another content type, 413 above `largest` bytes, 400 for what cannot
    be taken apart.
    """
    content_type = http.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        message = f"The content type is {content_type!r}: send multipart/form-data."
        raise ArmError("UnsupportedMediaType", message, 415)
    with tempfile.TemporaryFile() as file:
        await _receive(http, file, largest)
        if not file.tell():
            raise _broken("it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as form:
            found: dict[str, Part] = {}
            for part in _parts(form, _boundary(content_type, form)):
                found.setdefault(part.name, part)
            yield found


async def _receive(http: Request, file: IO[bytes], largest: int) -> None:
    async for chunk in http.stream():
        file.write(chunk)
        if file.tell() > largest:
            message = f"The request content is larger than {largest} bytes."
            raise ArmError("RequestEntityTooLarge", message, 413)
    file.flush()


def _boundary(content_type: str, form: mmap.mmap) -> bytes:
    """As the header says, else as the body begins: some clients leave it out of the header."""
    header = Message()
    header["content-type"] = content_type
    given = header.get_boundary()
    if given is not None:
        return given.encode()
    end = form.find(b"\r\n", 0, 200)
    if end < 0 or form[:2] != b"--":
        raise _broken("neither the Content-Type header nor its first line has a boundary")
    return form[2:end]


def _parts(form: mmap.mmap, boundary: bytes) -> Iterator[Part]:
    delimiter = b"--" + boundary
    at = form.find(delimiter)
    if at < 0:
        raise _broken("the boundary of the Content-Type header is not in it")
    for _ in range(MOST_PARTS):
        start = at + len(delimiter)
        if form[start : start + 2] == b"--":
            return
        at = form.find(b"\r\n" + delimiter, start) + 2
        head = form.find(b"\r\n\r\n", start, start + LONGEST_HEADER)
        if at < 2 or head < 0 or head > at:
            raise _broken("a part has no end, or no header of at most 8 KiB")
        yield _part(form, start, head, at)
    raise _broken(f"it has more than {MOST_PARTS} parts")


def _part(form: mmap.mmap, start: int, head: int, end: int) -> Part:
    header = BytesHeaderParser().parsebytes(form[start + 2 : head])
    name = header.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise _broken("a part has no name in its Content-Disposition")
    return Part(name, header.get_filename(), form, head + 4, max(head + 4, end - 2))


def _broken(why: str) -> ArmError:
    message = f"The request content was invalid and could not be taken apart: {why}."
    return ArmError("InvalidRequestContent", message)
