"""What a local file or folder holds: the files to upload and the hash that names them."""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from lazulite.cli.errors import CommandError

_CHUNK = 1 << 20  # bytes
_NEVER = ("__pycache__/", ".git/", ".ipynb_checkpoints/", ".DS_Store")


@dataclasses.dataclass(frozen=True)
class Contents:
    """A local file or folder. files: by the relative name they get in the cloud, in its order."""

    root: Path
    files: dict[str, Path]
    digest: str
    """SHA-256, in hex, over the names and contents: the same files give the same name anywhere."""


def scan(root: Path) -> Contents:
    """Read the file, or the folder without what its .amlignore (else .gitignore) excludes.

    Symbolic links are followed within the folder only. Raises CommandError if nothing is left.
    """
    root = root.resolve()
    files = {root.name: root} if root.is_file() else dict(sorted(_walk(root)))
    if not files:
        raise CommandError(
            "EmptyFolder", f"{root} holds no file to upload; see its .amlignore or .gitignore."
        )
    total = hashlib.sha256()
    for name, path in files.items():
        total.update(f"{len(name.encode())}:{name}:".encode())
        total.update(_digest(path))
    return Contents(root, files, total.hexdigest())


def is_ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether the patterns exclude a relative path; a folder's name ends with a slash.

    The patterns are git's, without `**` inside a name; the last one that matches decides.
    """
    ignored = False
    for pattern in patterns:
        if _matches(name, pattern.removeprefix("!")):
            ignored = not pattern.startswith("!")
    return ignored


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    patterns = [*_NEVER, *_patterns(root)]
    for folder, folders, names in os.walk(root, followlinks=True):
        place = Path(folder)
        folders[:] = [
            name for name in folders if _is_wanted(root, place / name, patterns, slash="/")
        ]
        for name in names:
            if _is_wanted(root, place / name, patterns):
                yield (place / name).relative_to(root).as_posix(), place / name


def _is_wanted(root: Path, path: Path, patterns: Sequence[str], slash: str = "") -> bool:
    name = path.relative_to(root).as_posix() + slash
    if is_ignored(name, patterns):
        return False
    if not path.is_symlink():
        return path.is_file() or bool(slash)
    target = path.resolve()
    loops = path.is_relative_to(target)
    return target.exists() and target.is_relative_to(root) and not loops


def _patterns(root: Path) -> list[str]:
    for name in (".amlignore", ".gitignore"):
        if (root / name).is_file():
            lines = (root / name).read_text(encoding="utf-8", errors="replace").splitlines()
            return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return []


def _matches(name: str, pattern: str) -> bool:
    if pattern.endswith("/") and not name.endswith("/"):
        return False
    plain, wanted = name.rstrip("/"), pattern.strip("/").removeprefix("**/")
    if "/" in pattern.rstrip("/") and not pattern.startswith("**/"):
        return fnmatch.fnmatchcase(plain, wanted)
    return fnmatch.fnmatchcase(PurePosixPath(plain).name, wanted)


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
