"""The rules of a batch job, without any process: what to run next, what counts, when to give up.

Sources: spec/BATCH.md 1.2 (retries, short returns, init failures) and 1.3 (error_threshold).
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable

from lazulite.batch.journal import Kind, Record
from lazulite.core.errors import SpecError


@dataclasses.dataclass(frozen=True)
class Rules:
    """What the deployment says."""

    max_retries: int
    """Tries after the first one."""
    error_threshold: int
    """Failed files that are still allowed; -1 allows all."""
    failed_starts: int
    """Failed starts of processes in a row that end the job while no process is ready.

    Nor may one be in its first init(), which has as long as it takes.
    """
    allowed_failed_count: int | None = None
    """Mini-batches that may fail; None allows all."""
    allowed_failed_percent: float | None = None
    """The same as a share of all; counts once all are decided."""


@dataclasses.dataclass
class Counts:
    """How far the job is."""

    mini_batches: int = 0
    done: int = 0
    """Mini-batches that are decided, the failed ones included."""
    failed_mini_batches: int = 0
    items: int = 0
    succeeded_items: int = 0
    failed_items: int = 0
    retries: int = 0
    rows: int = 0


class Policy:
    """The state of one job's mini-batches. Every decision comes back as a Record to journal."""

    def __init__(
        self, rules: Rules, mini_batches: int, items: int, recovered: Iterable[Record] = ()
    ) -> None:
        """recovered: what the journal holds from before; it is counted and not run again."""
        self.counts = Counts(mini_batches=mini_batches, items=items)
        self._rules, self._attempts = rules, dict[int, int]()
        self._failed_starts, self._start_error = 0, ""
        self.last_failure = "in an earlier run of the supervisor"
        closed = set[int]()
        for record in recovered:
            self._count(record)
            if record.kind is not Kind.ATTEMPT:
                closed.add(record.mini_batch)
        self._pending = deque(number for number in range(mini_batches) if number not in closed)
        self._open = set(self._pending)

    @property
    def is_over(self) -> bool:
        """Whether every mini-batch is decided."""
        return not self._open

    @property
    def pending(self) -> int:
        """How many mini-batches nobody works on."""
        return len(self._pending)

    @property
    def in_hand(self) -> int:
        """How many mini-batches somebody works on."""
        return len(self._open) - len(self._pending)

    def take(self, count: int) -> list[int]:
        """The next mini-batches to run, at most count."""
        pending = self._pending
        return [pending.popleft() for _ in range(min(count, len(pending)))]

    def give_back(self, mini_batches: Iterable[int]) -> None:
        """These were taken but not begun, or their node is lost: no attempt is charged."""
        self._pending.extendleft(
            sorted((number for number in mini_batches if number in self._open), reverse=True)
        )

    def returned(
        self, number: int, items: int, succeeded: int, rows: int, payload: bytes = b""
    ) -> Record | None:
        """run() returned. None if the mini-batch was decided before: its rows must not be kept."""
        if number not in self._open:
            return None
        self._failed_starts = 0
        attempt = self._attempts.get(number, 0) + 1
        record = Record(number, Kind.DONE, attempt, items, min(succeeded, items), rows, payload)
        self._open.discard(number)
        self._count(record)
        return record

    def attempt_failed(self, number: int, items: int, error: str) -> Record | None:
        """run() raised, hung, or took its process along. None if it was decided before."""
        self.last_failure = error
        if number not in self._open:
            return None
        self._failed_starts = 0
        attempt = self._attempts.get(number, 0) + 1
        if attempt <= self._rules.max_retries:
            record = Record(number, Kind.ATTEMPT, attempt, items, 0, 0)
            self._pending.append(number)
        else:
            record = Record(number, Kind.FAILED, attempt, items, 0, 0)
            self._open.discard(number)
        self._count(record)
        return record

    def start_failed(self, error: str, *, hung: bool) -> None:
        """A process ended before it was of any use. hung: init() never returned; give up."""
        self._failed_starts += self._rules.failed_starts if hung else 1
        self._start_error = error

    def check(self, ready: int, untried: int = 0) -> None:
        """Raise SpecError if the job cannot succeed any more.

        ready: processes able to work. untried: those in an init() that may well go through.
        """
        allowed, failed = self._rules.error_threshold, self.counts.failed_items
        if 0 <= allowed < failed:
            raise SpecError(
                "ErrorThresholdExceeded",
                f"{failed} input files failed, which exceeds the error_threshold of {allowed}. "
                f"logs/user/error.txt has them all; the last one: {self.last_failure}",
            )
        self._check_mini_batches()
        if self._failed_starts >= self._rules.failed_starts and not ready and not untried:
            raise SpecError(
                "InitFailed",
                f"The scoring script could not be started: no process came through init(). "
                f"The last failure: {self._start_error}",
            )
        if self.is_over and not self.counts.succeeded_items:
            raise SpecError(
                "NoSucceededItems",
                "There is no succeeded mini batch item returned from run(). "
                f"logs/user/error.txt has what it did instead; the last time: {self.last_failure}",
            )

    def _check_mini_batches(self) -> None:
        """Source: spec/BATCH.md 1.3, allowed_failed_count and allowed_failed_percent."""
        counts, rules = self.counts, self._rules
        failed, allowed = counts.failed_mini_batches, rules.allowed_failed_count
        if allowed is not None and failed > allowed:
            raise self._too_many(f"the allowed_failed_count of {allowed}")
        percent = rules.allowed_failed_percent
        if percent is not None and self.is_over and failed * 100 > percent * counts.mini_batches:
            raise self._too_many(f"the allowed_failed_percent of {percent:g}")

    def _too_many(self, limit: str) -> SpecError:
        return SpecError(
            "ErrorThresholdExceeded",
            f"{self.counts.failed_mini_batches} of {self.counts.mini_batches} mini-batches failed, "
            f"which exceeds {limit}. logs/user/error.txt has them all; the last one: "
            f"{self.last_failure}",
        )

    def _count(self, record: Record) -> None:
        counts = self.counts
        if record.kind is Kind.ATTEMPT:
            self._attempts[record.mini_batch] = record.attempt
            counts.retries += 1
            return
        self._attempts.pop(record.mini_batch, None)
        counts.done += 1
        counts.failed_mini_batches += record.kind is Kind.FAILED
        counts.succeeded_items += record.succeeded
        counts.failed_items += record.items - record.succeeded
        counts.rows += record.rows
