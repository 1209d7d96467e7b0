"""progress.json: what the control plane, or a new supervisor, knows of a batch job."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from lazulite.batch.pace import Pace
from lazulite.batch.policy import Counts
from lazulite.store.files import read_json, write_json

LEAST_INTERVAL_S = 0.5


class State(StrEnum):
    """Where a batch job stands; the last three are for good."""

    PREPARING = "preparing"
    RUNNING = "running"
    FINALIZING = "finalizing"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


EXIT_CODES = {State.COMPLETED: 0, State.FAILED: 1, State.CANCELED: 2}
"""How the supervisor ends in each terminal state."""
PAUSED_EXIT_CODE = 3
"""How it ends when it has paused: started again, it goes on."""


class Progress:
    """The file and what is in it. Its readers see a whole file, always."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """clock: unix time in seconds. What an earlier supervisor noted is taken up."""
        self._path, self._clock = folder / "progress.json", clock
        before = _read(self._path)
        self.state = State(before.get("state", State.PREPARING))
        self.started: float = before.get("started") or clock()
        self._first_mini_batch: float | None = before.get("first_mini_batch")
        self._last_mini_batch: float | None = before.get("last_mini_batch")
        self._written, self._pace = 0.0, Pace()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the job first started, the time without a supervisor included."""
        return self._clock() - self.started

    def begin_mini_batches(self) -> None:
        """The first mini-batch is handed out; the next note() tells. Later calls do nothing."""
        if self.state is State.PREPARING:
            self.state, self._written = State.RUNNING, 0.0
            self._first_mini_batch = self._first_mini_batch or self._clock()

    def enter(self, state: State, counts: Counts, error: dict[str, str] | None = None) -> None:
        """Change the state; durable on return."""
        self.state = state
        write_json(self._path, self._content(counts, error))

    def end_mini_batches(self, counts: Counts) -> None:
        """The last mini-batch is decided; the output is not published yet. A crash may lose it."""
        self.state = State.FINALIZING
        self._last_mini_batch = self._last_mini_batch or self._clock()
        self._write(counts)

    def note(self, counts: Counts) -> None:
        """Write how far the job is, at most twice a second; a crash may lose it."""
        now = self._clock()
        if 0 <= now - self._written < LEAST_INTERVAL_S:
            return
        self._written = now
        self._pace.look(now, counts.succeeded_items + counts.failed_items)
        self._write(counts)

    def _write(self, counts: Counts) -> None:
        fresh = self._path.with_name(".progress.json.new")
        fresh.write_text(json.dumps(self._content(counts, None)))
        fresh.replace(self._path)

    def _content(self, counts: Counts, error: dict[str, str] | None) -> dict[str, Any]:
        times = {
            "started": self.started,
            "first_mini_batch": self._first_mini_batch,
            "last_mini_batch": self._last_mini_batch,
            "updated": self._clock(),
        }
        counted = {**dataclasses.asdict(counts), **self._forecast(counts)}
        return {"state": self.state, **counted, "error": error, **times}

    def _forecast(self, counts: Counts) -> dict[str, float | None]:
        """What is left, and how fast it goes: of late while it goes on, over all once it ended."""
        decided = counts.succeeded_items + counts.failed_items
        left, rate = counts.items - decided, self._pace.items_per_s
        if self._first_mini_batch and self._last_mini_batch:
            rate = decided / max(self._last_mini_batch - self._first_mini_batch, 0.001)
        remaining = self._pace.remaining_s(left) if left else 0.0
        return {
            "left_items": left,
            "items_per_s": rate and round(rate, 1),
            "remaining_s": remaining and round(remaining, 1),
        }


def _read(path: Path) -> dict[str, Any]:
    """What the file says; nothing if a power loss has spoiled it."""
    try:
        return read_json(path) or {}
    except ValueError:
        return {}
