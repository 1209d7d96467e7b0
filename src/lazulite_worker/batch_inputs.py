"""The inputs file of a batch job: what makes which mini-batch, fixed for the job's life.

Layout: header, one offset per mini-batch and a last one, then the mini-batches, each part of which
is ended by a NUL. A mini-batch is paths of files, or a part of a table: its RowRange, then a path.
"""

import array
import mmap
import os
import struct
import sys
from typing import NamedTuple, Optional

MAGIC = b"LZINPUT1"
HEADER = struct.Struct("<8sIIQQ")
"""Magic, files of each mini-batch, CRC-32 of all that follows the header, items, mini-batches.

0 files: mini-batches differ, and tables among them are cut by rows.
"""
_MARK = b":"
"""Begins a part of a table; paths begin with a slash."""
_FIELDS = ("form", "header", "begin", "length", "first_row", "rows", "size", "mtime_ns")


class RowRange(NamedTuple):
    """Some rows of a table, from one end of a row to another."""

    path: str
    form: str
    """csv, jsonl or parquet."""
    header: int
    """Bytes at the beginning of the file that hold the names of the columns."""
    begin: int
    """The first byte; of Parquet: the first row group."""
    length: int
    """How many bytes or row groups; -1: all that there are."""
    first_row: int
    """How many rows come before, not counting the names."""
    rows: int
    size: int = -1
    """Bytes of the whole file when it was cut; -1: not known."""
    mtime_ns: int = -1
    """When it had been changed last then."""

    def is_of(self, found: os.stat_result) -> bool:
        """Whether that is still the file that was cut, as far as that is known."""
        return self.size < 0 or (self.size, self.mtime_ns) == (found.st_size, found.st_mtime_ns)

    def pack(self) -> bytes:
        """As the inputs file holds it."""
        told = " ".join(str(getattr(self, name)) for name in _FIELDS)
        return _MARK + told.encode() + b"\0" + os.fsencode(self.path) + b"\0"

    @classmethod
    def unpack(cls, mini_batch: bytes) -> "Optional[RowRange]":
        """What pack() made, without its last NUL; None for files."""
        if not mini_batch.startswith(_MARK):
            return None
        told, _, path = mini_batch[1:].partition(b"\0")
        form, numbers = told.decode().split(" ")[0], map(int, told.split(b" ")[1:])
        return cls(os.fsdecode(path), form, *numbers)


class MiniBatches:
    """The mini-batches of a job, read in place from its inputs file.

    Raises ValueError if the descriptor is not of a whole inputs file.
    """

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        if len(self._map) < HEADER.size:
            raise ValueError("the inputs file is shorter than its header")
        magic, size, crc, items, count = HEADER.unpack_from(self._map, 0)
        self.size, self.crc, self.items, self._count = int(size), int(crc), int(items), int(count)
        if magic != MAGIC:
            raise ValueError("the inputs file does not begin with %r" % MAGIC)
        self._parts = HEADER.size + 8 * (self._count + 1)
        self._offsets = array.array("Q", self._map[HEADER.size : self._parts])
        if sys.byteorder == "big":
            self._offsets.byteswap()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> "list[str]":
        """The paths of one mini-batch; of a part of a table, the table's."""
        mini_batch = self._bytes(number)
        if not self.size and mini_batch.startswith(_MARK):
            mini_batch = mini_batch.partition(b"\0")[2]
        return os.fsdecode(mini_batch).split("\0")

    def row_range(self, number: int) -> "Optional[RowRange]":
        """The rows that the mini-batch is; None if it is files."""
        return None if self.size else RowRange.unpack(self._bytes(number))

    def count(self, number: int) -> int:
        """How many items the mini-batch has: files, or rows of a table."""
        if self.size:
            return min(self.size, self.items - number * self.size)
        rows = self.row_range(number)
        return rows.rows if rows else self._bytes(number).count(b"\0") + 1

    def body(self) -> memoryview:
        """All that the header's CRC covers."""
        return memoryview(self._map)[HEADER.size :]

    def _bytes(self, number: int) -> bytes:
        begin, end = self._offsets[number], self._offsets[number + 1]
        return self._map[self._parts + begin : self._parts + end - 1]
