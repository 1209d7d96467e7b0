"""Reading the ends of log files, which may be large and still grow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

LONGEST_LINE = 1000  # bytes; what a line is taken to have at most when the end is sought
MOST_BYTES = 8 * 2**20
"""Of all files together, whatever the number of lines; each gets an equal part."""


def tail(paths: Sequence[Path], lines: int) -> str:
    """The last lines of each file, under its name when there are several. Blocks."""
    most = MOST_BYTES // max(1, len(paths))
    parts = [(path, _tail(path, lines, most)) for path in paths]
    if len(parts) == 1:
        return parts[0][1]
    return "\n".join(f"==> {path.name} <==\n{text}" for path, text in parts)


def last_lines(log: bytes, lines: int) -> str:
    """The end of a log as text; MOST_BYTES of it at most."""
    return "\n".join(log[-MOST_BYTES:].decode(errors="replace").splitlines()[-lines:])


def _tail(path: Path, lines: int, most: int) -> str:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - min(lines * LONGEST_LINE, most)))
            return last_lines(file.read(most), lines)
    except FileNotFoundError:
        return ""
