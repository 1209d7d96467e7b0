"""The bytes of one version of a blob, open for reading, wherever they lie."""

from __future__ import annotations

import os
from typing import Protocol

from lazulite.blobs.values import Stamp


class Contents(Protocol):
    """Open until close(). All calls block; run them in threads."""

    @property
    def stamp(self) -> Stamp:
        """The version that was opened."""
        ...

    def read(self, start: int, size: int) -> bytes:
        """At most so many bytes; none, or EOFError, if there are no more of this version."""
        ...

    def pour(self, start: int, size: int, target: int) -> None:
        """Write a stretch to a descriptor. Raises EOFError if it is not all there any more."""
        ...

    def close(self) -> None:
        """Call it once, when the reading is over."""
        ...


class FileContents:
    """An open file: what is replaced or deleted meanwhile stays readable."""

    def __init__(self, descriptor: int) -> None:
        """descriptor: owned from now on."""
        self._descriptor = descriptor
        self.stamp = Stamp.of(os.fstat(descriptor))

    def read(self, start: int, size: int) -> bytes:
        """Fewer bytes only at the end of the file."""
        return os.pread(self._descriptor, size, start)

    def pour(self, start: int, size: int, target: int) -> None:
        """Inside the kernel: file systems with shared extents then copy nothing at all."""
        done = 0
        while done < size:
            copied = os.copy_file_range(self._descriptor, target, size - done, start + done)
            if not copied:
                raise EOFError("the file was cut short while it was copied")
            done += copied

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
