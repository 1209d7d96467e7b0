"""Inputs to mini-batches: files are listed once, and the list is kept for the life of the job.

A job that goes on after a crash must see the same mini-batches, whatever has happened to the
folders meanwhile; workers read the same file (lazulite_worker.batch_inputs).
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from lazulite.blobs.patterns import matches
from lazulite.core.errors import SpecError
from lazulite.store.files import sync_directory
from lazulite_worker.batch_inputs import HEADER, MAGIC, MiniBatches

FILE, _UNFINISHED = "inputs.bin", "inputs.new"


class Cut(Protocol):
    """Inputs cut into mini-batches: bytes as the inputs file has them, the same each time."""

    @property
    def size(self) -> int:
        """How many files make each but the last; 0 if they differ."""

    @property
    def items(self) -> int:
        """Files, and rows of tables that are cut."""

    def __iter__(self) -> Iterator[bytes]: ...


@dataclasses.dataclass(frozen=True)
class ByFiles:
    """Mini-batches of so many files each. They are put together as they are asked for."""

    paths: Sequence[bytes]
    size: int

    @property
    def items(self) -> int:
        """How many files there are."""
        return len(self.paths)

    def __iter__(self) -> Iterator[bytes]:
        for begin in range(0, len(self.paths), self.size):
            yield b"\0".join(self.paths[begin : begin + self.size]) + b"\0"


class InputsFile:
    """The inputs file in a job's folder; its descriptor is valid before it is written."""

    def __init__(self, folder: Path) -> None:
        """Open the file, or a new one if the job has listed nothing yet."""
        self._folder = folder
        self.is_written = (folder / FILE).exists()
        name, flags = (FILE, 0) if self.is_written else (_UNFINISHED, os.O_CREAT | os.O_TRUNC)
        self.descriptor = os.open(folder / name, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)

    def write(self, cut: Cut) -> None:
        """Fix the mini-batches: durable and complete on return, or not there at all."""
        offsets = array("Q", itertools.accumulate(map(len, cut), initial=0))
        count = len(offsets) - 1
        if sys.byteorder == "big":
            offsets.byteswap()
        crc = zlib.crc32(offsets)
        with os.fdopen(os.dup(self.descriptor), "wb") as file:
            file.seek(HEADER.size)
            file.write(offsets)
            for mini_batch in cut:
                crc = zlib.crc32(mini_batch, crc)
                file.write(mini_batch)
            file.seek(0)
            file.write(HEADER.pack(MAGIC, min(cut.size, cut.items), crc, cut.items, count))
            file.flush()
            os.fsync(file.fileno())
        (self._folder / _UNFINISHED).rename(self._folder / FILE)
        sync_directory(self._folder)
        self.is_written = True

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.descriptor)

    def read(self) -> MiniBatches:
        """The mini-batches. Raises SpecError if the file is damaged."""
        try:
            batches = MiniBatches(self.descriptor)
        except ValueError as error:
            raise SpecError("InputsDamaged", f"{self._folder / FILE}: {error}") from error
        if zlib.crc32(batches.body()) != batches.crc:
            path = self._folder / FILE
            raise SpecError("InputsDamaged", f"{path} does not match its checksum; invoke again")
        return batches


@dataclasses.dataclass(frozen=True)
class Input:
    """A file, or a folder of which the files that fit the pattern are meant; "": all of them."""

    path: str
    pattern: str = ""

    @property
    def shown(self) -> str:
        """The folder and the pattern."""
        return f"{self.path}/{self.pattern}" if self.pattern else self.path


def list_files(inputs: Sequence[Input], check: Callable[[], None]) -> list[bytes]:
    """All files of the inputs: in their order, folders recursively and sorted by path.

    Links to files count, links to folders are not followed. check: called for every folder; it may
    raise to stop. Raises SpecError for an input that is missing or cannot be read, or if there is
    no file at all.
    """
    files: list[bytes] = []
    for given in inputs:
        path = os.fsencode(given.path)
        if os.path.isdir(path):  # noqa: PTH112 - bytes: names need not be UTF-8
            files += sorted(_meant(given, check))
        elif os.path.exists(path):  # noqa: PTH110
            files.append(path)
        else:
            raise SpecError(
                "InputNotFound",
                f"The input {given.shown} does not exist or cannot be read.",
                target="inputs",
            )
    if not files:
        shown = ", ".join(given.shown for given in inputs)
        raise SpecError(
            "NoInputFiles",
            f"There is no file in {shown}; a batch job needs at least one.",
            target="inputs",
        )
    return files


def _meant(given: Input, check: Callable[[], None]) -> list[bytes]:
    """The files of a folder that fit the pattern."""
    path = os.fsencode(given.path)
    try:
        return [file for file in _walk(path, check) if _is_meant(file, path, given.pattern)]
    except OSError as error:
        where = os.fsdecode(error.filename or given.path)
        raise SpecError(
            "InputNotFound",
            f"The input {given.shown} cannot be read: {error.strerror} ({where}).",
            target="inputs",
        ) from error


def _is_meant(file: bytes, folder: bytes, pattern: str) -> bool:
    return not pattern or matches(pattern, os.fsdecode(file[len(folder) + 1 :]))


def _walk(folder: bytes, check: Callable[[], None]) -> Iterator[bytes]:
    folders = [folder]
    while folders:
        check()
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file():
                    yield entry.path
