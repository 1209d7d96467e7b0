"""Follows the log files of replicas: each line becomes a row once, over rotations and deaths.

A file is known by its task and name; how far it was read is kept with its inode, as a rotation
empties the file (its content goes to `.1`) and a new keeper begins another one (the old one goes
to the kept logs).
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

MARK = "console"
LEVELS = {
    "D": "Debug",
    "I": "Information",
    "W": "Warning",
    "E": "Error",
    "C": "Critical",
}
"""By the letter that Azure's server writes."""
MOST_LINES = 2000  # of one file at one look
_BEHIND = 2 << 20
_KEEP = 128 << 10
_STAMPED = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[,.](\d{3}) ([DIWEC]) ")
_WORDED = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL)[: ]")  # logging.basicConfig()
_TRACEBACK = "Traceback (most recent call last)"
_CUT = 16_384  # characters of a message

Position = tuple[int, int]
"""The inode of a file, and the offset behind what was read."""


@dataclasses.dataclass(frozen=True)
class Stream:
    """The log of one replica over its processes."""

    task: str
    file: str
    instance: str
    place: int

    @property
    def name(self) -> str:
        """What its position is kept under."""
        return f"{self.task}/{self.file}"


class Console:
    """Reads streams. folders: where a task has its logs now, and where they are kept later."""

    def __init__(self, tasks: Path, kept: Path) -> None:
        self._tasks, self._kept = tasks, kept

    def streams(self, task: str, deployment: str, place: int) -> list[Stream]:
        """The logs that a task has."""
        generation = task.rpartition("-")[2]
        found = {
            path.name
            for folder in (self._tasks / task / "logs", self._kept / task)
            for path in folder.glob("replica-*.log")
        }
        return [
            Stream(task, name, f"{deployment}-{generation}-{_index(name)}", place)
            for name in sorted(found)
        ]

    def read(
        self, stream: Stream, position: Position | None, now_ms: int
    ) -> tuple[list[tuple[Any, ...]], Position | None]:
        """Rows of what is new, and the position behind it."""
        rows: list[tuple[Any, ...]] = []
        for path, start in self._parts(stream, position):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                status = path.stat()
                text, end, skipped = _new_lines(file, start, status.st_size)
                if path.name == stream.file:
                    position = (status.st_ino, end)
                if skipped:
                    rows.append(
                        _row(stream, now_ms, "Warning", f"... {skipped} bytes left out ...")
                    )
                rows += _rows(stream, text, now_ms)
        return rows, position

    def _parts(self, stream: Stream, position: Position | None) -> Iterator[tuple[Path, int]]:
        """The files to read and where from, in order."""
        current = self._tasks / stream.task / "logs" / stream.file
        kept = self._kept / stream.task / stream.file
        if position is None:
            yield from ((path, 0) for path in (kept, current))
            return
        inode, offset = position
        if _inode(kept) == inode:
            yield kept, offset
            yield current, 0
        elif _inode(current) != inode:
            yield current, 0
        elif current.stat().st_size < offset:
            yield current.with_name(f"{current.name}.1"), offset
            yield current, 0
        else:
            yield current, offset


def _new_lines(file: Any, start: int, size: int) -> tuple[list[str], int, int]:
    """Whole lines from a place on, the offset behind them, and how many bytes were passed over."""
    skipped = 0
    if size - start > _BEHIND:
        skipped = size - start - _KEEP
        start = size - _KEEP
    file.seek(start)
    if skipped:
        start += len(file.readline())
    lines: list[str] = []
    while len(lines) < MOST_LINES and (line := file.readline()).endswith(b"\n"):
        start += len(line)
        lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
    return lines, start, skipped


def _rows(stream: Stream, lines: Sequence[str], now_ms: int) -> list[tuple[Any, ...]]:
    """Lines without a time and level of their own belong to the one before."""
    at, level, rows = now_ms, "Information", []
    for line in lines:
        if stamped := _STAMPED.match(line):
            at = _milliseconds(stamped[1], stamped[2])
            level = LEVELS[stamped[3]]
        elif worded := _WORDED.match(line):
            level = LEVELS[worded[1][0]]
        elif line.startswith(_TRACEBACK):
            level = "Error"
        rows.append(_row(stream, at, level, line))
    return rows


def _milliseconds(second: str, rest: str) -> int:
    with contextlib.suppress(ValueError):
        return timegm(time.strptime(second, "%Y-%m-%d %H:%M:%S")) * 1000 + int(rest)
    return int(time.time() * 1000)


def _row(stream: Stream, at: int, level: str, message: str) -> tuple[Any, ...]:
    of = (stream.instance, "inference-server", "")
    return (at, stream.place, *of, level, message[:_CUT])


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _index(name: str) -> str:
    return name.removeprefix("replica-").removesuffix(".log")


def positions(mark: Mapping[str, Any] | None) -> dict[str, tuple[int, int, int, str]]:
    """What was kept: by stream, inode, offset, place and deployment."""
    return {name: tuple(value) for name, value in (mark or {}).items()}
