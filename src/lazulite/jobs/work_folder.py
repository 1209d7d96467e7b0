"""The folder that a command runs in: a copy of its code, with outputs/ and logs/ kept for good."""

from __future__ import annotations

import shutil
from pathlib import Path

from lazulite.jobs.spec import KEPT, CommandSpec


class WorkFolder:
    """One run's folder; made anew for each attempt."""

    def __init__(self, path: Path, spec: CommandSpec) -> None:
        """path: the folder, which need not exist."""
        self.path, self._spec = path, spec

    def make(self) -> None:
        """Start from a fresh copy of the code. What an earlier attempt left beside it is dropped.

        Files that the command writes to outputs/ and logs/ are artifacts at once.
        """
        self.remove()
        if self._spec.code_dir is None:
            self.path.mkdir(parents=True)
        else:
            shutil.copytree(self._spec.code_dir, self.path, symlinks=True)
        for folder in (self._spec.artifacts, *self._spec.folders):
            Path(folder).mkdir(parents=True, exist_ok=True)
        for name in KEPT:
            self._redirect(name)
        self._open_log()

    def collect(self) -> None:
        """Keep outputs/ and logs/ even if the command put folders of its own in their place."""
        for name in KEPT:
            self._move(name)

    def remove(self) -> None:
        """Drop the copy; safe to repeat."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _redirect(self, name: str) -> None:
        self._move(name)
        kept, place = Path(self._spec.artifacts, name), self.path / name
        kept.mkdir(exist_ok=True)
        if not place.exists():  # a file of that name in the code stays what it is
            place.symlink_to(kept)

    def _move(self, name: str) -> None:
        """Copy a real folder's regular files to the artifacts; links are left out.

        The command may have made links there as well: nothing is written through one.
        """
        source, target = self.path / name, Path(self._spec.artifacts, name)
        if source.is_symlink() or not source.is_dir():
            return
        for file in source.rglob("*"):
            kept = target / file.relative_to(source)
            is_safe = _is_within(kept.parent, target) and not kept.is_dir()
            if file.is_file() and not file.is_symlink() and is_safe:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.unlink(missing_ok=True)
                shutil.copy2(file, kept)
        shutil.rmtree(source)

    def _open_log(self) -> None:
        """The log, once on disk under all its names."""
        first, *others = (Path(self._spec.artifacts, name) for name in self._spec.log_names)
        first.parent.mkdir(parents=True, exist_ok=True)
        first.touch()
        for other in others:
            other.parent.mkdir(parents=True, exist_ok=True)
            if not other.exists():
                other.hardlink_to(first)


def _is_within(folder: Path, root: Path) -> bool:
    """Whether the folder is below the root wherever links may lead."""
    return folder.resolve().is_relative_to(root.resolve())
