"""How many rows each row group of a Parquet file has: from its footer alone, without any library.

The footer is a struct in Thrift's compact protocol. Source: the Parquet format's parquet.thrift
(FileMetaData, RowGroup) and Thrift's compact protocol specification.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

_MAGIC = b"PAR1"
_TAIL_BYTES = 8
_MOST_FOOTER_BYTES = 256 << 20
_DEEPEST, _MOST_BITS = 32, 63
_ROW_GROUPS, _NUM_ROWS = 4, 3
"""Numbers of the fields: of FileMetaData and of RowGroup."""
_STOP, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 7, 8, 9, 10, 11, 12
_BOOLEANS, _BYTE, _INTEGERS = (1, 2), 3, (4, 5, 6)


class FooterError(OSError):
    """The file is no Parquet file, or is damaged."""


def rows_of_groups(path: bytes) -> list[int]:
    """The number of rows of each row group. Raises OSError."""
    try:
        return _Footer(_read(path)).rows()
    except (IndexError, RecursionError) as error:
        raise FooterError(f"{os.fsdecode(path)}: its footer is damaged") from error


def _read(path: bytes) -> bytes:
    with Path(os.fsdecode(path)).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or length > min(size - _TAIL_BYTES, _MOST_FOOTER_BYTES):
            raise FooterError(f"{os.fsdecode(path)} does not end as a Parquet file does")
        file.seek(size - _TAIL_BYTES - length)
        return file.read(length)


class _Footer:
    """A reader of compact structs that knows what it is looking for, and skips all else."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._depth = data, 0, 0

    def rows(self) -> list[int]:
        """num_rows of each of row_groups."""
        found: list[int] = []

        def file_field(number: int, kind: int) -> None:
            if number == _ROW_GROUPS and kind == _LIST:
                count, _ = self._list_head()
                for _ in range(count):
                    found.append(0)
                    self._struct(group_field)
            else:
                self._skip(kind)

        def group_field(number: int, kind: int) -> None:
            if number == _NUM_ROWS and kind in _INTEGERS:
                found[-1] = max(0, self._integer())
            else:
                self._skip(kind)

        self._struct(file_field)
        return found

    def _struct(self, field: Callable[[int, int], None]) -> None:
        """Call field with number and type of each field; it reads or skips the value."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RecursionError
        number = 0
        while (head := self._byte()) != _STOP:
            delta, kind = head >> 4, head & 0x0F
            number = number + delta if delta else self._integer()
            field(number, kind)
        self._depth -= 1

    def _skip(self, kind: int, *, in_list: bool = False) -> None:
        if kind in _BOOLEANS:
            self._at += in_list  # of a field, the type says which
        elif kind == _BYTE:
            self._at += 1
        elif kind in _INTEGERS:
            self._varint()
        elif kind == _DOUBLE:
            self._at += 8
        elif kind == _BINARY:
            length = self._varint()  # which moves on, too
            self._at += length
        elif kind == _STRUCT:
            self._struct(lambda _, inner: self._skip(inner))
        else:
            self._skip_many(kind)
        if self._at > len(self._data):
            raise IndexError(self._at)

    def _skip_many(self, kind: int) -> None:
        if kind in {_LIST, _SET}:
            count, inner = self._list_head()
            for _ in range(count):
                self._skip(inner, in_list=True)
        elif kind == _MAP:
            count = self._varint()
            kinds = self._byte() if count else 0
            for _ in range(count):
                self._skip(kinds >> 4, in_list=True)
                self._skip(kinds & 0x0F, in_list=True)
        else:
            raise IndexError(kind)

    def _list_head(self) -> tuple[int, int]:
        head = self._byte()
        count = head >> 4
        return (self._varint() if count == 15 else count), head & 0x0F

    def _integer(self) -> int:
        """A zigzag number."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            if shift > _MOST_BITS:
                raise IndexError(shift)
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]
