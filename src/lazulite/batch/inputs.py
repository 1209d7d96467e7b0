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

from lazulite.blobs.patterns import matches
from lazulite.core.errors import SpecError
from lazulite.store.files import sync_directory
from lazulite_worker.batch_inputs import HEADER, MAGIC, MiniBatches

_FILE, _UNFINISHED = "inputs.bin", "inputs.new"


class InputsFile:
    """The inputs file in a job's folder; its descriptor is valid before it is written."""

    def __init__(self, folder: Path) -> None:
        """Open the file, or a new one if the job has listed nothing yet."""
        self._folder = folder
        self.is_written = (folder / _FILE).exists()
        name, flags = (_FILE, 0) if self.is_written else (_UNFINISHED, os.O_CREAT | os.O_TRUNC)
        self.descriptor = os.open(folder / name, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)

    def write(self, paths: Sequence[bytes], mini_batch_size: int) -> None:
        """Fix the mini-batches: durable and complete on return, or not there at all."""
        parts = _layout(paths, min(mini_batch_size, len(paths)))
        with os.fdopen(os.dup(self.descriptor), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        (self._folder / _UNFINISHED).rename(self._folder / _FILE)
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
            raise SpecError("InputsDamaged", f"{self._folder / _FILE}: {error}") from error
        if zlib.crc32(batches.body()) != batches.crc:
            path = self._folder / _FILE
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
    raise to stop. Raises SpecError if an input is missing or there is no file at all.
    """
    files: list[bytes] = []
    for given in inputs:
        path = os.fsencode(given.path)
        if os.path.isdir(path):  # noqa: PTH112 - bytes: names need not be UTF-8
            found = _walk(path, check)
            files += sorted(file for file in found if _is_meant(file, path, given.pattern))
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


def _layout(paths: Sequence[bytes], size: int) -> tuple[bytes, bytes, bytes]:
    """Header, offsets and paths as lazulite_worker.batch_inputs reads them."""
    ends = [0, *itertools.accumulate(len(path) + 1 for path in paths)]
    starts = array("Q", ends[:-1:size])
    starts.append(ends[-1])
    if sys.byteorder == "big":
        starts.byteswap()
    offsets, blob = starts.tobytes(), b"".join(path + b"\0" for path in paths)
    crc = zlib.crc32(blob, zlib.crc32(offsets))
    return HEADER.pack(MAGIC, size, crc, len(paths), len(starts) - 1), offsets, blob
