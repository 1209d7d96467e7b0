"""Publication: the output file appears whole, in input order, and never replaces another.

The bytes are staged beside the journal and then linked to their final name. The staged name is
kept until the job's end is durable; that is how a job that was killed in between knows its own.
"""

from __future__ import annotations

import csv
import errno
import io
import itertools
import operator
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lazulite.batch.formats import Block, encoded, read_blocks
from lazulite.batch.journal import Journal, Kind
from lazulite.core.errors import SpecError
from lazulite.store.files import sync_directory
from lazulite_worker.batch_inputs import MiniBatches


class Publication:
    """The output file of one job."""

    def __init__(self, folder: Path, output: Path) -> None:
        """folder: the job's own; output: the file to make."""
        self._staged, self.output = folder / "output.staged", output
        # Used where the output is on another file system; hidden, and only while publishing.
        self._near = output.with_name(f".{folder.name}.{output.name}.part")

    def check(self) -> None:
        """Raise SpecError if something else is at the output's place."""
        if self.output.exists() and not self.is_ours():
            raise SpecError(
                "OutputExists",
                f"The output file {self.output} exists and is never overwritten; choose another "
                "output_file_name or output path.",
                target="outputFileName",
            )

    def is_ours(self) -> bool:
        """Whether this job has published already, before a crash."""
        return any(
            name.exists() and self.output.exists() and name.samefile(self.output)
            for name in (self._staged, self._near)
        )

    def publish(self, pieces: Iterable[bytes]) -> None:
        """Write the pieces to the output file; durable on return. Nothing happens if it is ours.

        Raises SpecError if the output exists, OSError if it cannot be written; then nothing of it
        can be seen.
        """
        self.check()
        if self.is_ours():
            return
        try:
            _write(self._staged, pieces)
            self._link()
        except FileExistsError:
            self.discard()
            self.check()
            raise
        except OSError:
            self.discard()
            raise
        sync_directory(self.output.parent)

    def discard(self) -> None:
        """Drop the staged names: the job's end is durable, or it failed. May be called again."""
        self._staged.unlink(missing_ok=True)
        self._near.unlink(missing_ok=True)

    def _link(self) -> None:
        """link() and not rename(): it refuses to replace a file."""
        try:
            os.link(self._staged, self.output)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with self._staged.open("rb") as staged:
                _write(self._near, iter(lambda: staged.read(1 << 20), b""))
            os.link(self._near, self.output)


def rows_in_input_order(journal: Journal) -> Iterator[bytes]:
    """The content of the output for append_row."""
    for offset, length in journal.ranges():
        yield from journal.read_rows(offset, length)


def rows_as(output_format: str, journal: Journal) -> Iterator[bytes]:
    """The same in a format with columns. output_format: a key of FORMATS."""
    return encoded(output_format, lambda: read_blocks(rows_in_input_order(journal)))


def summary(journal: Journal, batches: MiniBatches) -> Iterator[bytes]:
    """The content of the output for summary_only: each file and whether its mini-batch was run.

    Two fields joined by a space with CSV quoting. Source: spec/BATCH.md 1.4.
    """
    for paths, fates in _fates(journal, batches):
        text = io.StringIO()
        csv.writer(text, delimiter=" ", lineterminator="\n").writerows(
            zip(paths, fates, strict=True)
        )
        yield text.getvalue().encode("utf-8", "surrogateescape")


def summary_as(output_format: str, journal: Journal, batches: MiniBatches) -> Iterator[bytes]:
    """The same in a format with columns: file and status."""
    columns = ["file", "status"]
    fates = lambda: (Block(columns, list(both)) for both in _fates(journal, batches))  # noqa: E731
    return encoded(output_format, fates)


def _fates(journal: Journal, batches: MiniBatches) -> Iterator[tuple[list[str], list[str]]]:
    """Files, and what became of them, in portions. Of a table cut by rows, all must be run."""
    whole = ((batches[number], kind == Kind.DONE) for number, kind in enumerate(journal.kinds()))
    if batches.size:
        yield from ((paths, [_fate(good)] * len(paths)) for paths, good in whole)
        return
    each = ((path, good) for paths, good in whole for path in paths)
    for path, parts in itertools.groupby(each, operator.itemgetter(0)):
        yield [path], [_fate(all(good for _, good in parts))]


def _fate(good: bool) -> str:
    return "Succeeded" if good else "Failed"


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """A file that other users of the output folder may read, durable on return.

    A new one: user code may write there, too, and a link of its making must not be followed.
    """
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
