"""Reading the ends of log files, which may be large and still grow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

LONGEST_LINE = 1000  # bytes; what a line is taken to have at most when the end is sought


def tail(paths: Sequence[Path], lines: int) -> str:
    """The last lines of each file, under its name when there are several."""
    parts = [(path, _tail(path, lines)) for path in paths]
    if len(parts) == 1:
        return parts[0][1]
    return "\n".join(f"==> {path.name} <==\n{text}" for path, text in parts)


def last_lines(log: bytes, lines: int) -> str:
    """The end of a log as text."""
    return "\n".join(log.decode(errors="replace").splitlines()[-lines:])


def _tail(path: Path, lines: int) -> str:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - lines * LONGEST_LINE))
            return last_lines(file.read(), lines)
    except FileNotFoundError:
        return ""
