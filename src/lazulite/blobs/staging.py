"""Receiving bytes into a private file on the same disk, in bounded memory, durably, and checked."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from pathlib import Path

from lazulite.blobs.contents import Contents, FileContents
from lazulite.blobs.crc64 import Crc64
from lazulite.blobs.errors import BlobError
from lazulite.blobs.tree import write_all
from lazulite.blobs.values import Expected, Stamp

BUFFER = 1 << 20  # bytes gathered before one hop to a thread
PIECES = 512  # that one call writes; systems take 1024


@dataclasses.dataclass(frozen=True)
class Received:
    """A staged file, synced to disk. The holder renames it or removes it."""

    path: Path
    stamp: Stamp
    md5: bytes | None


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of a staged file, given by its path, or of a blob."""

    source: Path | Contents
    offset: int
    size: int  # bytes


Keep = Callable[[], Received]
"""Brings a body that has come to the disk, checked. Raises BlobError; blocks; to be called once."""


class Staging:
    """A folder for files that are not visible yet."""

    def __init__(self, folder: Path, next_mtime_ns: Callable[[], int]) -> None:
        """folder: on the file system of the blobs, ours alone; next_mtime_ns: never the same."""
        self.folder, self._next_mtime_ns = folder, next_mtime_ns

    def clear(self) -> None:
        """Remove what a crash left. Only before the first receive()."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)

    def take_away(self, folder: Path) -> None:
        """Make a whole folder vanish in one step, then remove it. Nothing if it is not there."""
        shutil.rmtree(self.bury(folder), ignore_errors=True)

    def bury(self, *folders: Path) -> Path:
        """Make whole folders vanish, one after the other; what to remove then, at leisure.

        Nothing of those that are not there.
        """
        grave = Path(tempfile.mkdtemp(dir=self.folder))
        for number, folder in enumerate(folders):
            with contextlib.suppress(FileNotFoundError):
                folder.rename(grave / str(number))
        return grave

    def new_file(self) -> Path:
        """An empty file."""
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        os.close(descriptor)
        return Path(name)

    async def receive(self, body: AsyncIterable[bytes], expected: Expected) -> Keep:
        """Take a stream in; what is returned brings it to the disk. Raises BlobError.

        A large body is on the disk already. Nothing is left behind on any failure, the sender's
        going away included.
        """
        buffers = _in_buffers(body)
        first = await anext(buffers, list[bytes]())
        if sum(map(len, first)) < BUFFER:  # most blobs are small, and each hop to a thread costs
            return functools.partial(self._keep, first, expected, self._next_mtime_ns())
        path = await asyncio.to_thread(self.new_file)
        try:
            sink = _Sink(path, expected)
            try:
                await _pour(first, buffers, sink)
                received = await asyncio.to_thread(sink.finish, self._next_mtime_ns())
            finally:
                sink.close()
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return lambda: received

    def _keep(self, data: Sequence[bytes], expected: Expected, mtime_ns: int) -> Received:
        path = self.new_file()
        sink = _Sink(path, expected)
        try:
            sink.write(data)
            return sink.finish(mtime_ns)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            sink.close()

    def join(self, pieces: Sequence[Piece]) -> Received:
        """Copy pieces, one after the other, into a file. Raises FileNotFoundError."""
        path = self.new_file()
        try:
            with path.open("wb", buffering=0) as file:
                for piece in pieces:
                    _copy(piece, file.fileno())
                stamp = _settle(file.fileno(), self._next_mtime_ns())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(path, stamp, None)


def _settle(descriptor: int, mtime_ns: int) -> Stamp:
    """Give the file its version and bring it to the disk."""
    os.utime(descriptor, ns=(mtime_ns, mtime_ns))
    os.fsync(descriptor)
    return Stamp.of(os.fstat(descriptor))


def _copy(piece: Piece, target: int) -> None:
    if isinstance(piece.source, Path):
        source: Contents = FileContents(os.open(piece.source, os.O_RDONLY))
    else:
        source = piece.source
    try:
        source.pour(piece.offset, piece.size, target)
    except EOFError as error:
        raise BlobError("InvalidBlobOrBlock", "The blob was changed meanwhile.") from error
    finally:
        if source is not piece.source:
            source.close()


class _Sink:
    """Writes, counts and hashes. Blocks; used by one thread at a time."""

    def __init__(self, path: Path, expected: Expected) -> None:
        self._path, self._expected = path, expected
        self._file = path.open("wb", buffering=0)
        self._md5 = hashlib.md5(usedforsecurity=False) if expected.hashed else None
        self._crc64 = Crc64() if expected.crc64 is not None else None
        self._size = 0

    def write(self, pieces: Sequence[bytes]) -> None:
        self._size += sum(map(len, pieces))
        if self._size > self._expected.limit:
            limit = self._expected.limit
            raise BlobError("RequestBodyTooLarge", f"The body is larger than {limit} bytes.")
        for piece in pieces:
            if self._md5 is not None:
                self._md5.update(piece)
            if self._crc64 is not None:
                self._crc64.update(piece)
        _write_pieces(self._file.fileno(), pieces)

    def finish(self, mtime_ns: int) -> Received:
        """Check what arrived, and sync it."""
        md5 = self._md5.digest() if self._md5 is not None else None
        self._check(md5)
        return Received(self._path, _settle(self._file.fileno(), mtime_ns), md5)

    def close(self) -> None:
        self._file.close()

    def _check(self, md5: bytes | None) -> None:
        expected = self._expected
        if expected.length is not None and expected.length != self._size:
            message = f"Content-Length is {expected.length}, but {self._size} bytes arrived."
            raise BlobError("InvalidInput", message)
        if expected.md5 is not None and expected.md5 != md5:
            raise BlobError("Md5Mismatch")
        if self._crc64 is not None and expected.crc64 != self._crc64.digest():
            raise BlobError("Crc64Mismatch")


def _write_pieces(descriptor: int, pieces: Sequence[bytes]) -> None:
    """One after the other, without joining them first unless they are many."""
    size = sum(map(len, pieces))
    done = os.writev(descriptor, pieces) if 0 < len(pieces) <= PIECES else 0
    if done < size:
        write_all(descriptor, b"".join(pieces)[done:])


async def _in_buffers(body: AsyncIterable[bytes]) -> AsyncIterator[list[bytes]]:
    """The stream in lists of at least BUFFER bytes, but for the last one."""
    pieces, size = list[bytes](), 0
    async for piece in body:
        pieces.append(piece)
        size += len(piece)
        if size >= BUFFER:
            yield pieces
            pieces, size = [], 0
    if pieces:
        yield pieces


async def _pour(first: list[bytes], rest: AsyncIterable[list[bytes]], sink: _Sink) -> None:
    """Feed the sink, receiving the next piece while the last one is written."""
    writing = asyncio.ensure_future(asyncio.to_thread(sink.write, first))
    try:
        async for piece in rest:
            await writing
            writing = asyncio.ensure_future(asyncio.to_thread(sink.write, piece))
    finally:  # its thread must not outlive the file
        await asyncio.gather(writing, return_exceptions=True)
    writing.result()
