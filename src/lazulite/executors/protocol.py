"""The Executor protocol: named tasks, whose names make starting them idempotent."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Phase(StrEnum):
    """Where a task stands."""

    PENDING = "pending"  # accepted, not running yet
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"  # never heard of, or gone without an exit code: host reboot, kill -9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One process (with its children) to run once."""

    name: str
    """Unique and stable, as "<uid>-<generation>": the key that makes ensure() safe to repeat."""
    command: tuple[str, ...]
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Added to the executor's own environment."""
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Texts put into the task's folder before it starts, by file name."""


class Executor(Protocol):
    """Runs tasks somewhere. Every method returns at once and may be called again after a crash."""

    async def ensure(self, task: Task) -> None:
        """Start the task, or adopt the one of that name that was started already."""

    async def observe(self, name: str) -> Phase:
        """Where the task stands; a name never heard of is LOST."""

    async def stop(self, name: str, *, kill: bool = False) -> None:
        """Ask the task to end (SIGTERM), or end it and its children (SIGKILL). Safe to repeat."""

    async def forget(self, name: str) -> None:
        """Drop what is kept of an ended task; its name may then be used again."""

    def folder(self, name: str) -> Path:
        """Where the task's files are: it starts there; `log` in it has its stdout and stderr."""
