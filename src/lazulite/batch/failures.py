"""failed_items.jsonl: which files failed and why; can be read and invoked again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from lazulite.store.files import write_atomically
from lazulite_worker.batch_inputs import RowRange

FILE = "failed_items.jsonl"


class FailedItems:
    """The list in a job's folder, one JSON object a line: file, mini_batch, attempt, items, error.

    A short return gives one line without a file, as nobody can say which files are missing.
    """

    def __init__(self, folder: Path, is_closed: Callable[[int], bool]) -> None:
        """Take up the list of an earlier supervisor, but for mini-batches that will run again."""
        path = folder / FILE
        if path.exists():
            kept = [line for line in path.read_bytes().splitlines(True) if _is_of(line, is_closed)]
            write_atomically(path, b"".join(kept))
        self._file = path.open("ab")

    def failed(self, files: Sequence[str], mini_batch: int, attempt: int, error: str) -> None:
        """Every attempt of the mini-batch failed. Call before its record is committed."""
        self._write([(file, 1) for file in files], mini_batch, attempt, error)

    def part_failed(self, part: RowRange, mini_batch: int, attempt: int, error: str) -> None:
        """The same for rows of a table: one line."""
        where = f"rows {part.first_row} to {part.first_row + part.rows - 1}: "
        self._write([(part.path, part.rows)], mini_batch, attempt, where + error)

    def short(self, missing: int, mini_batch: int, attempt: int, error: str) -> None:
        """run() returned too few results. Call before its record is committed."""
        self._write([(None, missing)], mini_batch, attempt, error)

    def close(self) -> None:
        """Make the list durable and close it; may be called again."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def _write(
        self, files: Sequence[tuple[str | None, int]], mini_batch: int, attempt: int, error: str
    ) -> None:
        lines = [
            json.dumps(
                {
                    "file": file,
                    "mini_batch": mini_batch,
                    "attempt": attempt,
                    "items": items,
                    "error": error,
                }
            )
            for file, items in files
        ]
        self._file.write("".join(f"{line}\n" for line in lines).encode())
        self._file.flush()


def _is_of(line: bytes, is_closed: Callable[[int], bool]) -> bool:
    try:
        return is_closed(json.loads(line)["mini_batch"])
    except (ValueError, KeyError, IndexError):
        return False  # torn by a crash
