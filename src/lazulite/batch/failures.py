"""failed_items.jsonl: which files failed and why; can be read and invoked again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lazulite.batch.logs import shortened
from lazulite.store.files import sync_directory
from lazulite_worker.batch_inputs import RowRange

FILE = "failed_items.jsonl"
_LONGEST_AGAIN = 200
"""Letters of an error that another file of the mini-batch has in full."""


class FailedItems:
    """The list in a job's folder, one JSON object a line: file, mini_batch, attempt, items, error.

    A short return gives one line without a file, as nobody can say which files are missing. An
    error of many files is there in full once, and in short for each of the others.
    """

    def __init__(self, folder: Path, is_closed: Callable[[int], bool]) -> None:
        """Take up the list of an earlier supervisor, but for mini-batches that will run again."""
        path, kept = folder / FILE, folder / f".{FILE}.new"
        if path.exists():
            with path.open("rb") as before, kept.open("wb") as after:
                after.writelines(line for line in before if _is_of(line, is_closed))
                after.flush()
                os.fsync(after.fileno())
            kept.replace(path)
            sync_directory(folder)
        self._file, self._is_durable = path.open("ab"), True

    def failed(
        self,
        files: Sequence[str],
        mini_batch: int,
        attempt: int,
        error: str,
        own: Mapping[str, str] | None = None,
    ) -> None:
        """Every attempt of the mini-batch failed. Call before its record is committed.

        own: what else is known to be wrong with some of the files.
        """
        known, in_short, told = own or {}, shortened(error)[:_LONGEST_AGAIN], False
        lines = []
        for file in files:
            reason = known.get(file) or (in_short if told else error)
            told = told or file not in known
            lines.append((file, 1, reason))
        self._write(lines, mini_batch, attempt)

    def part_failed(self, part: RowRange, mini_batch: int, attempt: int, error: str) -> None:
        """The same for rows of a table: one line."""
        where = f"rows {part.first_row} to {part.first_row + part.rows - 1}: "
        self._write([(part.path, part.rows, where + error)], mini_batch, attempt)

    def short(self, missing: int, mini_batch: int, attempt: int, error: str) -> None:
        """run() returned too few results. Call before its record is committed."""
        self._write([(None, missing, error)], mini_batch, attempt)

    def close(self) -> None:
        """Make the list durable and close it; may be called again."""
        if not self._is_durable:
            os.fsync(self._file.fileno())
            self._is_durable = True
        self._file.close()

    def _write(
        self, found: Iterable[tuple[str | None, int, str]], mini_batch: int, attempt: int
    ) -> None:
        """Lines of files, with their numbers of items and their errors."""
        common = {"mini_batch": mini_batch, "attempt": attempt}
        for file, items, error in found:
            line = json.dumps({"file": file, **common, "items": items, "error": error})
            self._file.write(f"{line}\n".encode())
        self._file.flush()
        self._is_durable = False


def _is_of(line: bytes, is_closed: Callable[[int], bool]) -> bool:
    try:
        return is_closed(json.loads(line)["mini_batch"])
    except (ValueError, KeyError, IndexError):
        return False  # torn by a crash
