"""A compute node as the engine keeps it: its connection, and a seat for each of its processes."""

from __future__ import annotations

import dataclasses
import itertools

from lazulite.batch.engine import NodeAddress
from lazulite.batch.worker import Worker
from lazulite.executors.node_wire import Link

LEAVES_WITHIN_S = 30.0
"""What processes of a node that another job needs may take for the mini-batch they are at."""


@dataclasses.dataclass
class Seat:
    """A place for one process; its occupant changes."""

    index: int
    worker: Worker | None = None
    failures: int = 0
    not_before: float = 0.0


class EngineNode:
    """One node's connection and seats. Times are of time.monotonic()."""

    def __init__(self, address: NodeAddress, processes: int, first_number: int) -> None:
        """first_number: of the first process that will be started."""
        self.address = address
        self.link: Link | None = None
        self.is_up = False
        self.try_at = 0.0
        self.leaving_since: float | None = None
        """When the job was told to do without it."""
        self.seats = [Seat(index) for index in range(processes)]
        self.numbers = itertools.count(first_number)
        self.workers: dict[int, Worker] = {}

    def may_go(self, now: float) -> bool:
        """Whether it is to leave, and has nothing to do any more or has had its time."""
        since = self.leaving_since
        return since is not None and (not self.workers or now - since > LEAVES_WITHIN_S)
