"""Tables cut into mini-batches of rows, each file looked through once and parsed by nobody here.

CSV with a line of names, JSON lines, Parquet by its row groups; all other files stay whole and make
mini-batches as ever. Not in Azure, where a table is one call of run().
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator, Sequence

from lazulite.batch import parquet_footer, row_ends
from lazulite.batch.inputs import ByFiles, Cut
from lazulite.core.errors import SpecError
from lazulite_worker.batch_inputs import RowRange

FORMS = {
    b".csv": "csv",
    b".jsonl": "jsonl",
    b".ndjson": "jsonl",
    b".parquet": "parquet",
    b".pqt": "parquet",
}


@dataclasses.dataclass(frozen=True)
class ByRows:
    """A Cut (see inputs.py) of tables by rows, and of other files by number."""

    items: int
    mini_batches: Sequence[bytes]
    size: int = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.mini_batches)


def cut(found: Sequence[bytes | RowRange], files: int, rows: int, check: Callable[[], None]) -> Cut:
    """Mini-batches in the order of the paths: of so many rows, or of so many other files.

    rows: 0 leaves tables whole; what is a part of one already stays so. check: called again and
    again; it may raise to stop. Raises SpecError if a table cannot be cut, or if there is nothing.
    """
    paths = [path for path in found if isinstance(path, bytes)]
    if not rows and len(paths) == len(found):
        return ByFiles(paths, files)
    mini_batches, items = list[bytes](), 0
    for form, group in itertools.groupby(found, _form if rows else _part):
        if form is None:
            others = ByFiles([path for path in group if isinstance(path, bytes)], files)
            mini_batches += others
            items += others.items
            continue
        for path in group:
            parts = _ranges(path, form, rows, check) if isinstance(path, bytes) else [path]
            mini_batches += [part.pack() for part in parts]
            items += sum(part.rows for part in parts)
    if not mini_batches:
        raise SpecError("NoInputRows", "The tables of the input have no rows.", target="inputs")
    return ByRows(items, mini_batches)


def _form(found: bytes | RowRange) -> str | None:
    """What a table is written in; None: it is no table."""
    if isinstance(found, RowRange):
        return found.form
    return FORMS.get(os.path.splitext(found)[1].lower())  # noqa: PTH122 - bytes


def _part(found: bytes | RowRange) -> str | None:
    return found.form if isinstance(found, RowRange) else None


def _ranges(path: bytes, form: str, rows: int, check: Callable[[], None]) -> Sequence[RowRange]:
    """The parts of a table; one that cannot be read is one part, and fails where it is read."""
    check()
    name = os.fsdecode(path)
    try:
        before = os.stat(path)  # noqa: PTH116 - bytes
        if form == "parquet":
            parts = _row_groups(name, parquet_footer.rows_of_groups(path), rows)
        else:
            parts = _lines(name, form, rows, row_ends.blocks(path, form), check)
        size, mtime_ns = before.st_size, before.st_mtime_ns
        return [part._replace(size=size, mtime_ns=mtime_ns) for part in parts]
    except OSError:
        return [RowRange(name, form, 0, 0, -1, 0, 1)]


def _row_groups(path: str, groups: Sequence[int], most: int) -> Iterator[RowRange]:
    """As many whole row groups each as have no more rows than asked for, but one at least."""
    begin, first, rows = 0, 0, 0
    for number, here in enumerate(groups):
        if rows and rows + here > most:
            yield RowRange(path, "parquet", 0, begin, number - begin, first, rows)
            begin, first, rows = number, first + rows, 0
        rows += here
    if rows:
        yield RowRange(path, "parquet", 0, begin, len(groups) - begin, first, rows)


def _lines(
    path: str,
    form: str,
    rows: int,
    blocks: Iterator[row_ends.Block],
    check: Callable[[], None],
) -> Iterator[RowRange]:
    """So many rows each; the names of a CSV's columns are no row."""
    header = first = 0
    sizes = itertools.chain((1,) if form == "csv" else (), itertools.repeat(rows))
    has_header = form != "csv"
    for begin, end, found in row_ends.cuts(blocks, sizes):
        check()
        if not has_header:
            header, has_header = end, True
            continue
        yield RowRange(path, form, header, begin, end - begin, first, found)
        first += found
