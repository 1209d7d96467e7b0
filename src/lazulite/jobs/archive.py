"""Zip files of callers, unpacked without trust: plain files and folders, below one folder.

Source: spec/SECURITY.md SEC-010 to SEC-013.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lazulite.core.errors import ArmError

MOST_ENTRIES = 100_000
MOST_BYTES = 2 << 30
MOST_RATIO = 200
_FREE_OF_RATIO = 1 << 20  # bytes: small files of zeros are no bombs
_CHUNK = 1 << 20
_LONGEST_TAIL = (1 << 16) + 22 + 20  # bytes: comment, end record, locator of the 64-bit record
_LARGEST_DIRECTORY = MOST_ENTRIES * 200  # bytes
_LONGEST_NAME, _LONGEST_PART = 2000, 100  # bytes; characters, of at most 4 bytes
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def unpack(archive: Path, target: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Unpack into a folder that is not there yet; nothing of it stays if this fails. Blocks.

    Raises ArmError: 400 for what is no zip, and for entries that are links, that leave the folder,
    or that are there twice; 413 for too much.
    """
    target.mkdir(parents=True)
    try:
        _check_directory(archive)
        with zipfile.ZipFile(archive) as found:
            allowed = _allowance(archive, most_bytes)
            for entry, parts in _entries(found):
                allowed -= _write(found, entry, target.joinpath(*parts), allowed)
    except BaseException as error:
        shutil.rmtree(target)
        if isinstance(error, _BROKEN):
            raise _invalid(f"it cannot be read: {error}") from error
        raise


_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError),
    *(FileExistsError, NotADirectoryError, IsADirectoryError),
)
"""What zipfile raises for damaged and encrypted archives, and a file where a folder must be."""


def _check_directory(archive: Path) -> None:
    """Refuse a directory too large to be read into memory. Raises ArmError 413."""
    with archive.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _LONGEST_TAIL))
        tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 22:
        raise _invalid("it has no directory: it is no zip file, or it was cut off")
    (directory,) = struct.unpack_from("<L", tail, end + 12)
    is_zip64 = tail[max(0, end - 20) : end].startswith(b"PK\6\7")
    if is_zip64 or directory > _LARGEST_DIRECTORY:
        raise _too_large(f"it has more than {MOST_ENTRIES} entries")


def _entries(found: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, tuple[str, ...]]]:
    """Every entry with its checked path."""
    if len(found.infolist()) > MOST_ENTRIES:
        raise _too_large(f"it has more than {MOST_ENTRIES} entries")
    seen: set[str] = set()
    for entry in found.infolist():
        parts = _parts(entry)
        folded = "/".join(parts)
        if folded in seen and not entry.is_dir():
            raise _invalid(f"{entry.filename!r} is in it twice")
        seen.add(folded)
        yield entry, parts


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The segments of an entry's name. Raises ArmError unless it names a place below the folder."""
    name = entry.orig_filename
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts
    if not plain or "\\" in name or "\0" in name or (path.parts and ":" in path.parts[0]):
        raise _invalid(f"{name!r} does not name a file below its root")
    if len(name.encode()) > _LONGEST_NAME or max(map(len, path.parts), default=0) > _LONGEST_PART:
        raise _invalid(f"the name {name[:80]!r}... is too long")
    if entry.compress_type not in _METHODS:
        raise _invalid(f"{name!r} is compressed by another method than deflate")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _invalid(f"{name!r} is a link or a device: only files and folders are accepted")
    return path.parts


def _write(found: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path, allowed: int) -> int:
    """Write one entry; how many bytes it has. What the zip says of sizes is not believed."""
    if entry.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        return 0
    place.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with found.open(entry) as source, place.open("xb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > allowed:
                raise _too_large("its content is larger than is accepted")
            file.write(chunk)
    if entry.external_attr >> 16 & stat.S_IXUSR:
        place.chmod(0o700)
    return written


def _allowance(archive: Path, most_bytes: int) -> int:
    """How many bytes may come out of an archive of this size."""
    return min(most_bytes, max(_FREE_OF_RATIO, MOST_RATIO * archive.stat().st_size))


def _invalid(problem: str) -> ArmError:
    message = f"The zip file is refused: {problem}. Nothing of it was kept."
    return ArmError("InvalidArchive", message, 400, target="projectZipFile")


def _too_large(problem: str) -> ArmError:
    message = (
        f"The zip file is refused: {problem} ({MOST_ENTRIES} entries, {MOST_BYTES} bytes, "
        f"{MOST_RATIO} times its own size)."
    )
    return ArmError("ArchiveTooLarge", message, 413, target="projectZipFile")
