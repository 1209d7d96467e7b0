"""The journal of a batch job: what has been decided about each mini-batch, exactly once.

Two files with one writer: `rows` (output rows as they come) and `index` (one CRC'd record each).
Data goes first, then its record; what a crash leaves behind the last good record is cut off at
open. A thread makes both durable in the background, so power loss costs at most `sync_s`, and
the death of any process nothing. Publishing is left to publication.py.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from array import array
from collections.abc import Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from lazulite.core.errors import SpecError
from lazulite.store.files import sync_directory

_HEADER = struct.Struct("<8sIQI")
"""Magic, CRC of the inputs file, number of mini-batches, CRC of these."""
_MAGIC = b"LZJRNAL1"
_RECORD = struct.Struct("<QBIIIIQQI")
"""mini_batch, kind, attempt, items, succeeded, rows, offset, length, CRC of the rows."""
_CRC = struct.Struct("<I")
_RECORD_BYTES = _RECORD.size + _CRC.size
_PORTION_BYTES = 4096 * _RECORD_BYTES
"""Read at once: a job may have a million records."""


class Kind(IntEnum):
    """What a record says of its mini-batch."""

    DONE = 0  # run() returned; its rows are in the rows file
    FAILED = 1  # every attempt failed; it has no rows
    ATTEMPT = 2  # one attempt failed; the mini-batch is still open


class Record(NamedTuple):
    """One decision about one mini-batch."""

    mini_batch: int
    kind: Kind
    attempt: int
    """Which attempt this was, from 1."""
    items: int
    succeeded: int
    rows: int
    payload: bytes = b""
    """The rows; not filled in when records are read back."""


class Journal:
    """The journal in a folder, open for appending. One process at a time may have it open."""

    def __init__(
        self, folder: Path, inputs_crc: int, mini_batches: int, sync_s: float = 0.25
    ) -> None:
        """Open or create it, cutting a torn tail.

        Raises SpecError if the journal belongs to other inputs.
        """
        self._header = _header(inputs_crc, mini_batches)
        self._folder, self._closed = folder, bytearray(mini_batches)
        self._rows = os.open(folder / "rows", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._index = os.open(folder / "index", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._rows_end = self._index_end = 0
        self._recover()
        self._syncer = _Syncer((self._rows, self._index), sync_s)

    def is_closed(self, mini_batch: int) -> bool:
        """Whether the mini-batch is done or failed for good."""
        return bool(self._closed[mini_batch])

    def recovered(self) -> Iterator[Record]:
        """What was found at open or committed since, in that order, without the rows."""
        for (number, kind, attempt, items, succeeded, rows, *_), _ in self._entries():
            yield Record(number, Kind(kind), attempt, items, succeeded, rows)

    def commit(self, records: Sequence[Record]) -> None:
        """Append the records; those of a closed mini-batch are ignored, so a second call is safe.

        Raises OSError (disk full, file too large); the journal is then as before the call.
        """
        data, index, end = list[bytes](), list[bytes](), self._rows_end
        closing = set[int]()
        for record in records:
            if self._closed[record.mini_batch] or record.mini_batch in closing:
                continue
            index.append(_pack(record, end))
            data.append(record.payload)
            end += len(record.payload)
            if record.kind is not Kind.ATTEMPT:
                closing.add(record.mini_batch)
        if index:
            self._append(b"".join(data), b"".join(index))
        for mini_batch in closing:
            self._closed[mini_batch] = 1

    def sync(self) -> None:
        """Make everything committed durable now."""
        self._syncer.sync()

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Offset and length of each done mini-batch's rows, in input order, neighbours joined."""
        begin = end = 0
        for offset, length in self._in_input_order():
            if offset != end:
                if end > begin:
                    yield begin, end - begin
                begin = offset
            end = offset + length
        if end > begin:
            yield begin, end - begin

    def kinds(self) -> bytes:
        """For each mini-batch in input order: its Kind as a byte, ATTEMPT if it is still open."""
        kinds = bytearray([Kind.ATTEMPT]) * len(self._closed)
        for record, _ in self._entries():
            kinds[record[0]] = record[1]
        return bytes(kinds)

    def read_rows(self, offset: int, length: int) -> Iterator[bytes]:
        """A range of the rows file, in pieces of at most 1 MiB."""
        while length and (piece := os.pread(self._rows, min(length, 1 << 20), offset)):
            yield piece
            offset, length = offset + len(piece), length - len(piece)

    def close(self) -> None:
        """Sync and close the files; may be called again."""
        if self._rows < 0:
            return
        self._syncer.stop()
        os.close(self._rows)
        os.close(self._index)
        self._rows = self._index = -1

    def _append(self, data: bytes, index: bytes) -> None:
        self._syncer.check()
        try:
            _write(self._rows, data, self._rows_end)
            _write(self._index, index, self._index_end)
        except OSError:
            os.ftruncate(self._index, self._index_end)
            os.ftruncate(self._rows, self._rows_end)
            raise
        self._rows_end += len(data)
        self._index_end += len(index)
        self._syncer.dirty = True

    def _recover(self) -> None:
        size = os.fstat(self._index).st_size
        if size < _HEADER.size:
            os.ftruncate(self._index, 0)
            _write(self._index, self._header, 0)
            sync_directory(self._folder)
        if os.pread(self._index, _HEADER.size, 0) != self._header:
            raise SpecError(
                "JournalMismatch",
                "The journal in the job's folder was written for other inputs or is damaged; "
                "invoke the endpoint again.",
            )
        self._index_end = _HEADER.size
        for record, crc in self._entries(size):
            if not self._accepts(record, crc):
                break
            self._index_end += _RECORD_BYTES
        os.ftruncate(self._index, self._index_end)
        os.ftruncate(self._rows, self._rows_end)

    def _accepts(self, record: tuple[int, ...], crc: int) -> bool:
        """Take up a record read back if it and the rows it names are whole."""
        mini_batch, kind, _, _, _, _, offset, length, rows_crc = record
        if _record_crc(record) != crc or offset != self._rows_end:
            return False
        found, read = 0, 0
        for piece in self.read_rows(offset, length):
            found, read = zlib.crc32(piece, found), read + len(piece)
        if read != length or found != rows_crc or self._closed[mini_batch]:
            return False
        self._closed[mini_batch] = kind != Kind.ATTEMPT
        self._rows_end += length
        return True

    def _entries(self, end: int | None = None) -> Iterator[tuple[tuple[int, ...], int]]:
        """Records and the CRCs they came with, a portion at a time; a torn one is left out."""
        end = self._index_end if end is None else end
        for begin in range(_HEADER.size, end, _PORTION_BYTES):
            raw = os.pread(self._index, min(_PORTION_BYTES, end - begin), begin)
            yield from _records(raw)

    def _in_input_order(self) -> Iterator[tuple[int, int]]:
        offsets, lengths = (
            array("Q", bytes(8 * len(self._closed))),
            array("Q", bytes(8 * len(self._closed))),
        )
        for record, _ in self._entries():
            if record[1] == Kind.DONE:
                offsets[record[0]], lengths[record[0]] = record[6], record[7]
        return ((offset, length) for offset, length in zip(offsets, lengths, strict=True) if length)


class _Syncer:
    """Group commit: a thread that flushes files which have changed, every few moments."""

    def __init__(self, descriptors: Sequence[int], every_s: float) -> None:
        self.dirty = False
        self._descriptors, self._every_s = descriptors, every_s
        self._error: OSError | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise what the thread met: after a failed flush, nothing may be believed durable."""
        if self._error is not None:
            raise self._error

    def sync(self) -> None:
        self.check()
        for descriptor in self._descriptors:
            os.fdatasync(descriptor)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            if self.dirty:
                self.dirty = False
                try:
                    self.sync()
                except OSError as error:
                    self._error = error
                    return


def _header(inputs_crc: int, mini_batches: int) -> bytes:
    packed = _HEADER.pack(_MAGIC, inputs_crc, mini_batches, 0)[: -_CRC.size]
    return packed + _CRC.pack(zlib.crc32(packed))


def _pack(record: Record, offset: int) -> bytes:
    mini_batch, kind, attempt, items, succeeded, rows, payload = record
    packed = _RECORD.pack(
        mini_batch, kind, attempt, items, succeeded, rows, offset, len(payload), zlib.crc32(payload)
    )
    return packed + _CRC.pack(zlib.crc32(packed))


def _record_crc(record: tuple[int, ...]) -> int:
    return zlib.crc32(_RECORD.pack(*record))


def _records(raw: bytes) -> Iterator[tuple[tuple[int, ...], int]]:
    """Records and the CRCs they came with; a torn one at the end is left out."""
    for begin in range(0, len(raw) - _RECORD_BYTES + 1, _RECORD_BYTES):
        (crc,) = _CRC.unpack_from(raw, begin + _RECORD.size)
        yield _RECORD.unpack_from(raw, begin), crc


def _write(descriptor: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written
