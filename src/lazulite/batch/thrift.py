"""As much of Thrift's compact protocol as the headers of a Parquet file need: it is written only.

Source: the Apache Thrift specification, "Thrift Compact protocol encoding".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class I32:
    """A number of 32 bits."""

    value: int


@dataclasses.dataclass(frozen=True)
class I64:
    """A number of 64 bits."""

    value: int


@dataclasses.dataclass(frozen=True)
class Binary:
    """Bytes, or text as UTF-8."""

    value: bytes


@dataclasses.dataclass(frozen=True)
class Items:
    """A list; all items are of one kind."""

    items: tuple[Value, ...]


@dataclasses.dataclass(frozen=True)
class Record:
    """A struct: values by the numbers of its fields, in their order."""

    fields: Fields


Value = I32 | I64 | Binary | Items | Record
Fields = Mapping[int, Value]
_CODES = {I32: 5, I64: 6, Binary: 8, Items: 9, Record: 12}


def encode(value: Value) -> bytes:
    """The bytes of a value, without what says of which kind it is."""
    if isinstance(value, I32 | I64):
        return varint(value.value << 1 ^ value.value >> 63)
    if isinstance(value, Binary):
        return varint(len(value.value)) + value.value
    if isinstance(value, Items):
        return _head(value) + b"".join(map(encode, value.items))
    return b"".join(_fields(value)) + b"\0"


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _head(items: Items) -> bytes:
    code = _CODES[type(items.items[0])] if items.items else 0
    count = len(items.items)
    if count < 15:
        return bytes([count << 4 | code])
    return bytes([0xF0 | code]) + varint(count)


def _fields(record: Record) -> list[bytes]:
    """Each with the distance of its number from the one before, which is below 16 here."""
    before, parts = 0, []
    for number, value in record.fields.items():
        parts.append(bytes([number - before << 4 | _CODES[type(value)]]) + encode(value))
        before = number
    return parts
