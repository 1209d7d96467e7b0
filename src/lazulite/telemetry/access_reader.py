"""Reads the edge's files of requests: each line once, whoever crashed when.

How far it has come is kept with the rows that the lines became, in one transaction.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from lazulite.serving.access_log import LOST, Access, parse_line
from lazulite.serving.access_recorder import segments

MARK = "access"
MOST_BYTES = 4 << 20  # at one time


@dataclasses.dataclass
class Reading:
    """What one look found."""

    requests: list[Access]
    lost: int
    """Lines that were dropped before they could be read."""
    mark: tuple[str, int]
    """The name of the file, and the offset in it, behind what was read."""
    done: list[Path]
    """Files that nobody needs once the mark is kept."""
    is_all: bool
    """Whether nothing more was there."""

    def discard(self) -> None:
        """Remove what is done."""
        for path in self.done:
            path.unlink(missing_ok=True)


def read_requests(folder: Path, mark: tuple[str, int] | None) -> Reading:
    """What follows a mark; None: everything. A line that is not whole yet is left for later."""
    name, offset = mark or ("", 0)
    reading = Reading([], 0, (name, offset), [], is_all=True)
    found = segments(folder)
    left = MOST_BYTES
    for place, path in enumerate(found):
        if path.name < name:
            reading.done.append(path)
            continue
        start = offset if path.name == name else 0
        data = _read(path, start, left)
        whole = data[: data.rfind(b"\n") + 1]
        _take(reading, whole)
        reading.mark = (path.name, start + len(whole))
        left -= len(data)
        if left <= 0:
            reading.is_all = False
            break
        if place < len(found) - 1:
            reading.done.append(path)
    return reading


def _read(path: Path, start: int, most: int) -> bytes:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(start)
        return file.read(most)
    return b""


def _take(reading: Reading, data: bytes) -> None:
    for line in data.splitlines():
        if line.startswith(LOST):
            reading.lost += int(line[len(LOST) :])
        elif (access := parse_line(line)) is not None:
            reading.requests.append(access)
