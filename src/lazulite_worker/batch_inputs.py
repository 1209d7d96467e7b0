"""The inputs file of a batch job: which files make which mini-batch, fixed for the job's life.

Layout: header, one offset per mini-batch and a last one, then the paths, each ended by a NUL.
"""

import array
import mmap
import os
import struct
import sys

MAGIC = b"LZINPUT1"
HEADER = struct.Struct("<8sIIQQ")
"""Magic, mini_batch_size, CRC-32 of all that follows the header, items, mini-batches."""


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
        self._paths = HEADER.size + 8 * (self._count + 1)
        self._offsets = array.array("Q", self._map[HEADER.size : self._paths])
        if sys.byteorder == "big":
            self._offsets.byteswap()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> "list[str]":
        """The paths of one mini-batch."""
        begin, end = self._offsets[number], self._offsets[number + 1]
        paths = self._map[self._paths + begin : self._paths + end - 1]
        return os.fsdecode(paths).split("\0")

    def count(self, number: int) -> int:
        """How many files the mini-batch has."""
        return min(self.size, self.items - number * self.size)

    def body(self) -> memoryview:
        """All that the header's CRC covers."""
        return memoryview(self._map)[HEADER.size :]
