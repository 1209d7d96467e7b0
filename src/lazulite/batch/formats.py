"""Output formats with named columns: CSV with a header, JSON lines, Parquet.

Workers render rows as blocks (lazulite_worker.batch_records); here blocks become a file. Azure's
own rows are no format of these: they are lines already.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from lazulite.batch.parquet import Column, ParquetWriter, column_of
from lazulite_worker.batch_records import ONLY

_NO_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that stand for no byte of a file's name."""


class Block(NamedTuple):
    """Some rows: the names of their columns, and one list of values for each.

    Rows without any column are one list of null, so that they are counted.
    """

    columns: list[str]
    values: list[list[Any]]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.values[0]) if self.values else 0

    def aligned(self, columns: list[str]) -> list[list[Any]]:
        """The values of these columns; None for those that the block has not."""
        if columns == self.columns:
            return self.values
        known = dict(zip(self.columns, self.values, strict=bool(self.columns)))
        return [known.get(name) or [None] * self.rows for name in columns]


Blocks = Callable[[], Iterator[Block]]
"""All rows of the output, from the first one at every call."""


def read_blocks(pieces: Iterable[bytes]) -> Iterator[Block]:
    """The blocks in rows as workers have rendered them, which come in pieces of any size."""
    lines = _lines(pieces)
    for columns, values in zip(lines, lines, strict=True):
        yield Block(json.loads(columns), json.loads(values))


def encoded(output_format: str, blocks: Blocks) -> Iterator[bytes]:
    """The file, in pieces. output_format: a key of FORMATS."""
    return FORMATS[output_format](blocks)


def _csv(blocks: Blocks) -> Iterator[bytes]:
    """Commas, a header, quotes where they are needed; null is empty, what is nested is JSON."""
    columns = _columns(blocks())
    yield _csv_text([columns])
    for block in blocks():
        yield _csv_text(zip(*map(_csv_values, block.aligned(columns)), strict=True))


def _json_lines(blocks: Blocks) -> Iterator[bytes]:
    """An object a row, with the columns that its mini-batch has."""
    for block in blocks():
        rows = (
            dict(zip(block.columns, row, strict=bool(block.columns)))
            for row in zip(*block.values, strict=True)
        )
        text = "".join(f"{_json(row)}\n" for row in rows)
        yield text.encode("utf-8", "backslashreplace")


def _parquet(blocks: Blocks) -> Iterator[bytes]:
    """Whole numbers, decimals, true or false, and texts; null where a value is missing."""
    names = _columns(blocks())
    columns = [Column(name) for name in names]
    for block in blocks():
        merged = zip(columns, block.aligned(names), strict=True)
        columns = [column_of(column, values) for column, values in merged]
    writer = ParquetWriter(columns)
    for block in blocks():
        yield from writer.add(block.aligned(names))
    yield from writer.finish()


FORMATS: Mapping[str, Callable[[Blocks], Iterator[bytes]]] = {
    "csv": _csv,
    "jsonl": _json_lines,
    "parquet": _parquet,
}


def _columns(blocks: Iterable[Block]) -> list[str]:
    """The names of all columns, as they first appear; rows need one at least."""
    names, rows = dict[str, None](), 0
    for block in blocks:
        names.update(dict.fromkeys(block.columns))
        rows += block.rows
    return list(names) or [ONLY] * bool(rows)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole


def _csv_text(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    escaped = _NO_BYTES.sub(lambda found: f"\\u{ord(found[0]):04x}", text.getvalue())
    return escaped.encode("utf-8", "surrogateescape")


def _csv_values(values: list[Any]) -> list[Any]:
    return [_json(value) if isinstance(value, list | dict) else value for value in values]


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:  # infinite numbers
        return json.dumps(_finite(value), ensure_ascii=False)


def _finite(value: Any) -> Any:
    """JSON has no infinite numbers: null."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
