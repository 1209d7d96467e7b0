"""Where rows of a text table end: CSV, whose quoted fields may hold ends of lines, and JSON lines.

A file is read once, from beginning to end, in blocks of whole rows. Nothing is done here for each
row but what methods of bytes do; with quotes, a little for each of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lazulite.core.errors import SpecError

READ_BYTES = 1 << 20
LONGEST_ROW_BYTES = 16 << 20
"""A longer row is taken for a quote that nobody has closed."""
_QUOTED = re.compile(rb'(?<![^,\n\r])"[^"]*(?:""[^"]*)*(?:"|\Z)')
_LONE_RETURN = re.compile(rb"\r(?!\Z)")
_BEFORE_A_FIELD = {b"", b",", b"\n"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Block(NamedTuple):
    """Whole rows of a file. text: as in the file, but ends of lines in quotes are blank."""

    offset: int
    text: bytes


def blocks(path: bytes, form: str) -> Iterator[Block]:
    """The file in blocks of whole rows; the last may lack its end of line.

    Raises OSError, and SpecError for a row without an end, for UTF-16, and for rows that end in a
    carriage return alone, which readers take for an end and cuts() does not.
    """
    offset, rest = 0, b""
    with Path(os.fsdecode(path)).open("rb", buffering=0) as file:
        while read := file.read(READ_BYTES):
            rest += read
            if not offset and rest.startswith(_UTF_16):
                raise _refusal(path, 0, "is in UTF-16; tables that are cut by rows are in UTF-8")
            text = _without_quoted_ends(rest) if form == "csv" else rest
            end = text.rfind(b"\n") + 1
            if end:
                _refuse_lone_returns(path, offset, text)
                yield Block(offset, text[:end])
                offset, rest = offset + end, rest[end:]
            if len(rest) > LONGEST_ROW_BYTES:
                raise _refusal(path, offset, "has no end: a quote may be missing its partner")
    if rest.strip():
        text = _without_quoted_ends(rest) if form == "csv" else rest
        _refuse_lone_returns(path, offset, text)
        yield Block(offset, text)


def cuts(found: Iterator[Block], sizes: Iterator[int]) -> Iterator[tuple[int, int, int]]:
    """Begin, end and number of rows of each part, of so many rows as sizes says; the last of less.

    Rows are lines: empty ones count.
    """
    begin = end = count = 0
    size = next(sizes)
    for offset, text in found:
        at, left = 0, text.count(b"\n") + (not text.endswith(b"\n"))
        while count + left >= size:
            at = _after(text, at, size - count)
            left -= size - count
            yield begin, offset + at, size
            begin, count, size = offset + at, 0, next(sizes)
        count += left
        end = offset + len(text)
    if count:
        yield begin, end, count


def _after(text: bytes, at: int, lines: int) -> int:
    """Behind so many lines from there on. Big steps first: counting is fast, finding is not."""
    step = 1 << 12
    while (here := text.count(b"\n", at, at + step)) < lines and at + step < len(text):
        at, lines = at + step, lines - here
    for _ in range(lines):
        at = text.find(b"\n", at) + 1 or len(text)
    return at


def _without_quoted_ends(text: bytes) -> bytes:
    """The text, with a blank for each end of line inside of a quoted field.

    A quote opens a field only at its beginning; one in the middle (5" pipe) means itself.
    """
    parts = text.split(b'"')
    opens_fields = all(part[-1:] in _BEFORE_A_FIELD for part in parts[:-1:2])
    if opens_fields and b"\n" not in b"".join(parts[1::2]):
        return text
    return _QUOTED.sub(lambda field: field[0].replace(b"\n", b" "), text)


def _refuse_lone_returns(path: bytes, offset: int, text: bytes) -> None:
    """Look at the first row of the file: the others will end as it does."""
    if not offset and _LONE_RETURN.search(_QUOTED.sub(b"", text.partition(b"\n")[0])):
        raise _refusal(path, 0, "ends in a carriage return alone; rows end in \\n or \\r\\n")


def _refusal(path: bytes, offset: int, why: str) -> SpecError:
    return SpecError(
        "TableNotCut",
        f"{os.fsdecode(path)}: the row at byte {offset} {why}. Mend the file, or leave out "
        "lazulite.mini_batch, so that files are scored as they are.",
        target="inputs",
    )
