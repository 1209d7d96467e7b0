"""progress.json: how far a command job is, for the control plane and for a new supervisor."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from lazulite.store.files import read_json, write_json


class State(StrEnum):
    """Where a command job stands; the last three are for good."""

    PREPARING = "preparing"
    RUNNING = "running"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


EXIT_CODES = {State.COMPLETED: 0, State.FAILED: 1, State.CANCELED: 2}
"""How the supervisor ends in each terminal state."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """What is known of the job. Times are unix seconds."""

    state: State = State.PREPARING
    attempt: int = 0
    """How often the command was started: more than once only if a node or the server was lost."""
    started: float | None = None
    """When it was started first."""
    exit_code: int | None = None
    """128 + n if signal n ended the command."""
    error: dict[str, str] | None = None


class ProgressFile:
    """The progress of one job, durable from one change to the next."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """What an earlier supervisor noted is taken up."""
        self._path, self._clock = folder / "progress.json", clock
        found = read_json(self._path) or {}
        names = {field.name for field in dataclasses.fields(Progress)}
        known = {key: value for key, value in found.items() if key in names}
        self.now = Progress(**{**known, "state": State(found.get("state", State.PREPARING))})

    def begin_attempt(self) -> None:
        """The command is about to be started."""
        started = self.now.started or self._clock()
        self._write(
            dataclasses.replace(
                self.now, state=State.RUNNING, attempt=self.now.attempt + 1, started=started
            )
        )

    def enter(
        self, state: State, exit_code: int | None = None, error: dict[str, str] | None = None
    ) -> None:
        """Change the state."""
        self._write(dataclasses.replace(self.now, state=state, exit_code=exit_code, error=error))

    def elapsed_s(self) -> float:
        """Seconds since the first start."""
        return self._clock() - self.now.started if self.now.started else 0.0

    def _write(self, progress: Progress) -> None:
        self.now = progress
        write_json(self._path, dataclasses.asdict(progress))
