"""A Parquet file of plain columns, written as rows come: all optional, uncompressed, one page each.

Source: the Apache Parquet format specification 2.9 (file layout, PLAIN and RLE encodings).
"""

from __future__ import annotations

import dataclasses
import json
import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from lazulite.batch.thrift import I32, I64, Binary, Fields, Items, Record, encode, varint

MAGIC = b"PAR1"
GROUP_ROWS = 1 << 16
"""A row group is closed when it has so many rows."""
GROUP_BYTES = 64 << 20
"""Or about so many bytes, which are in memory until then."""
_PLAIN, _RLE = I32(0), I32(3)
_OPTIONAL, _UTF8, _UNCOMPRESSED = I32(1), I32(0), I32(0)
_TYPES = {"boolean": I32(0), "integer": I32(2), "number": I32(5), "text": I32(6)}
"""BOOLEAN, INT64, DOUBLE, BYTE_ARRAY."""
_INT64 = range(-(1 << 63), 1 << 63)


@dataclasses.dataclass(frozen=True)
class Column:
    """A column and what its values are; "" before one was seen."""

    name: str
    kind: str = ""

    @property
    def schema(self) -> Record:
        """Its SchemaElement."""
        kind = self.kind or "text"
        fields: Fields = {1: _TYPES[kind], 3: _OPTIONAL, 4: Binary(_text(self.name))}
        return Record({**fields, 6: _UTF8} if kind == "text" else fields)


def column_of(column: Column, values: Sequence[Any]) -> Column:
    """The column once it is to hold these values, too: a mixture is text, but for numbers."""
    kinds = {column.kind, *map(_kind, set(map(type, values)))} - {""}
    if "integer" in kinds and not all(value in _INT64 for value in values if type(value) is int):
        kinds = {"text"}
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    return Column(column.name, kinds.pop() if len(kinds) == 1 else "text" if kinds else "")


def _kind(of: type) -> str:
    known = {type(None): "", bool: "boolean", int: "integer", float: "number"}
    return known.get(of, "text")


class ParquetWriter:
    """Turns values into the bytes of a file; every call gives those that follow."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """columns: what column_of() made of all values."""
        self._columns = columns
        self._values: list[list[Any]] = [[] for _ in columns]
        self._groups: list[Record] = []
        self._rows = self._at = self._bytes = 0

    def add(self, values: Sequence[Sequence[Any]]) -> Iterator[bytes]:
        """Take up rows, given as one list for each column."""
        if not self._at:
            yield self._out(MAGIC)
        for kept, more, column in zip(self._values, values, self._columns, strict=True):
            kept.extend(more)
            self._bytes += _size(column, more)
        if self._values and (len(self._values[0]) >= GROUP_ROWS or self._bytes >= GROUP_BYTES):
            yield from self._group()

    def finish(self) -> Iterator[bytes]:
        """The rest of the file."""
        if not self._at:
            yield self._out(MAGIC)
        yield from self._group()
        root = Record({4: Binary(b"schema"), 5: I32(len(self._columns))})
        footer: Fields = {
            1: I32(1),
            2: Items((root, *(column.schema for column in self._columns))),
            3: I64(self._rows),
            4: Items(tuple(self._groups)),
            6: Binary(b"lazulite"),
        }
        text = encode(Record(footer))
        yield self._out(text + struct.pack("<I", len(text)) + MAGIC)

    def _out(self, data: bytes) -> bytes:
        self._at += len(data)
        return data

    def _group(self) -> Iterator[bytes]:
        rows = len(self._values[0]) if self._values else 0
        if not rows:
            return
        begin, chunks = self._at, []
        for column, values in zip(self._columns, self._values, strict=True):
            page, start = _page(column, values), self._at
            yield self._out(page)
            chunks.append(_chunk(column, rows, start, len(page)))
            values.clear()
        size = I64(self._at - begin)
        self._groups.append(Record({1: Items(tuple(chunks)), 2: size, 3: I64(rows)}))
        self._rows, self._bytes = self._rows + rows, 0


def _chunk(column: Column, rows: int, start: int, size: int) -> Record:
    """The ColumnChunk with its ColumnMetaData."""
    described: Fields = {
        1: _TYPES[column.kind or "text"],
        2: Items((_PLAIN, _RLE)),
        3: Items((Binary(_text(column.name)),)),
        4: _UNCOMPRESSED,
        5: I64(rows),
        6: I64(size),
        7: I64(size),
        9: I64(start),
    }
    return Record({2: I64(start), 3: Record(described)})


def _page(column: Column, values: Sequence[Any]) -> bytes:
    """A data page with its header."""
    levels = _levels(values)
    content = struct.pack("<I", len(levels)) + levels + _plain(column.kind, values)
    size = I32(len(content))
    data = Record({1: I32(len(values)), 2: _PLAIN, 3: _RLE, 4: _RLE})
    return encode(Record({1: I32(0), 2: size, 3: size, 5: data})) + content


def _levels(values: Sequence[Any]) -> bytes:
    """Which values are there: one run if all are, else a bit each."""
    if None not in values:
        return varint(len(values) << 1) + b"\1"
    bits = _bits([value is not None for value in values])
    return varint(len(bits) << 1 | 1) + bits


def _plain(kind: str, values: Sequence[Any]) -> bytes:
    """The values that are there, in the encoding PLAIN."""
    present = [value for value in values if value is not None]
    if kind == "boolean":
        return _bits(present)
    if kind == "integer":
        return struct.pack(f"<{len(present)}q", *present)
    if kind == "number":
        return struct.pack(f"<{len(present)}d", *present)
    texts = [_text(value) for value in present]
    return b"".join(part for text in texts for part in (struct.pack("<I", len(text)), text))


def _bits(flags: Sequence[bool]) -> bytes:
    """A bit each, the lowest first, whole bytes."""
    padded = array("B", flags).tobytes() + bytes(-len(flags) % 8)
    digits = padded[::-1].translate(_DIGITS)
    return int(digits or b"0", 2).to_bytes(len(padded) // 8, "little")


_DIGITS = bytes([ord("0"), *[ord("1")] * 255])


def _text(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _size(column: Column, values: Sequence[Any]) -> int:
    """About how many bytes the values take."""
    if column.kind != "text":
        return 8 * len(values)
    return sum(len(value) if isinstance(value, str) else 16 for value in values)
