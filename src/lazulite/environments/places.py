"""Where an environment's files are, below one root folder, all named by its hash."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from lazulite.executors.launch import Sandbox
from lazulite.store.files import read_json


@dataclasses.dataclass(frozen=True)
class Start:
    """What it takes to start an environment's Python."""

    python: Path
    container: Sandbox | None
    """Where the Python is, if it is in an image."""


@dataclasses.dataclass(frozen=True)
class Places:
    """The paths of one environment."""

    root: Path
    hash: str

    def __post_init__(self) -> None:
        """Refuse what is no hash: it becomes part of paths. Raises ValueError."""
        if not re.fullmatch(r"[0-9a-f]{32}", self.hash):
            raise ValueError(f"{self.hash!r} is not the hash of an environment")

    @property
    def prefix(self) -> Path:
        """The environment itself."""
        return self.root / self.hash

    @property
    def ready(self) -> Path:
        """Exists once the prefix is whole; its modification time is the last use."""
        return self.prefix / "ready.json"

    @property
    def failed(self) -> Path:
        """Why the last build failed; removed to try again."""
        return self.root / f"{self.hash}.failed.json"

    @property
    def log(self) -> Path:
        """The output of all builds so far."""
        return self.root / f"{self.hash}.log"

    @property
    def lock(self) -> Path:
        """Locked by the builder; never removed, or two builders could hold two of it."""
        return self.root / f"{self.hash}.lock"

    @property
    def attempts(self) -> Path:
        """A line per build that began and has not ended: more than one, and builds get killed."""
        return self.root / f"{self.hash}.attempts"

    def start(self) -> Start | None:
        """How the Python starts; None unless it is whole and its interpreter still installed."""
        if (ready := read_json(self.ready)) is None:
            return None
        start = ready.get("start") or {}
        container = Sandbox.from_json(start["sandbox"]) if "sandbox" in start else None
        python = Path(start.get("python", self.prefix / "bin/python"))
        # What is in an image cannot be seen from here; the engine is asked for the image.
        return Start(python, container) if container or python.exists() else None

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Keep builders out meanwhile; false if one is at work. The root has to be there."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield _locks(descriptor)
        finally:
            os.close(descriptor)


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def task_name(hash_: str) -> str:
    """The task that builds the environment."""
    return f"env-{hash_}"
