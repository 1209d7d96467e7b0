"""The Engine protocol: whatever can run mini-batches somewhere, and what it reports.

An engine knows processes and places, nothing of retries, thresholds or output; those are decided
once, above it (policy.py, supervisor.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol


@dataclasses.dataclass(frozen=True)
class ProcessName:
    """A worker process, as it appears in logs."""

    node: str
    process: str
    """processNNN, never used twice on a node within a job."""


class Done(NamedTuple):
    """run() came back, with a result or an exception."""

    name: ProcessName
    mini_batch: int
    raised: bool
    succeeded: int
    rows: int
    seconds: float
    payload: bytes
    """The rendered rows, or the traceback."""


class FilesFailed(NamedTuple):
    """Which files of a mini-batch failed, and why; its end is told afterwards."""

    mini_batch: int
    errors: Mapping[str, str]
    """By path, as the process says."""


class Failed(NamedTuple):
    """run() took its process along, or had to be stopped."""

    name: ProcessName
    mini_batch: int
    status: str
    """RUN_TIMEOUT or PROCESS_DIED."""
    reason: str


class Returned(NamedTuple):
    """Mini-batches that were handed out and not begun, or whose node was lost."""

    mini_batches: tuple[int, ...]


class StartFailed(NamedTuple):
    """A process ended before it was of use: init() raised, hung, or killed it."""

    name: ProcessName
    hung: bool
    reason: str


class Note(NamedTuple):
    """Something for the log: processes and nodes coming and going."""

    text: str


Event = Done | FilesFailed | Failed | Returned | StartFailed | Note


@dataclasses.dataclass(frozen=True)
class NodeAddress:
    """A compute node of the job."""

    node: str
    socket: str


class Engine(Protocol):
    """Runs mini-batches of one job. Not to be shared between threads."""

    def attach(self, nodes: Iterable[NodeAddress]) -> list[Event]:
        """These are the job's nodes now: new ones are used, missing ones are to be left.

        A missing one finishes the mini-batches that its processes are at, and gets no more.
        """

    def feed(self, take: Callable[[int], list[int]], pending: int) -> bool:
        """Hand out mini-batches to whoever has room; whether any was.

        take(n) gives at most n of the pending ones. Each that is handed out comes back in exactly
        one Done, Failed or Returned.
        """

    def poll(self, seconds: float) -> list[Event]:
        """What happened; waits at most so long if nothing did."""

    @property
    def ready(self) -> int:
        """How many processes have come through init()."""

    @property
    def untried(self) -> int:
        """How many processes are in init(), where none before them in their place has failed."""

    def finish(self) -> None:
        """Ask every process to call shutdown() and end."""

    @property
    def is_idle(self) -> bool:
        """Whether no process is left."""

    def close(self) -> None:
        """Kill what is left and let go of the nodes. May be called again."""
