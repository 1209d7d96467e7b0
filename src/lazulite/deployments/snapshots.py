"""Assets as folders of their own: what a deployment runs does not change under it.

Each version is copied once, whole or not at all. Code is copied, for scripts may write beside
themselves; files of models are hard-linked, for they are large and are only read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from lazulite.core.errors import SpecError


def existing(target: Path) -> Path | None:
    """The copy that was made inside target; None if there is none yet. Blocks."""
    return next(target.iterdir(), None) if target.is_dir() else None


def snapshot(source: Path, target: Path, *, link: bool) -> Path:
    """The copy of source inside target, under its own name; made unless it is there.

    Raises SpecError if there is no source. Blocks; a crash leaves nothing that is ever used.
    """
    copied = target / source.name
    if copied.exists():
        return copied
    if not source.exists():
        raise SpecError(
            "ArtifactNotFound",
            f"There is no file or folder at {str(source)!r}: upload it before it is deployed.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=target.parent))
    try:
        _copy(source, staging / source.name, _link if link else shutil.copy2)
        staging.chmod(0o755)
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        if not copied.exists():  # else another one was quicker
            raise
    return copied


def _copy(source: Path, target: Path, copy: Callable[[Path, Path], object]) -> None:
    """Copy regular files; links that leave the store are not followed."""
    if source.is_file():
        copy(source, target)
        return
    for folder, _, names in os.walk(source):
        inside = target / Path(folder).relative_to(source)
        inside.mkdir(parents=True, exist_ok=True)
        for name in names:
            file = Path(folder) / name
            if file.is_file() and not file.is_symlink():
                copy(file, inside / name)


def _link(source: Path, target: Path) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
