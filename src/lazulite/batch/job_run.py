"""One run of a batch job's supervisor: engine, policy, journal and logs put to work together.

Every event of the engine becomes at most one record of the policy, and every record goes to the
journal before anything else is made of it. That alone carries exactly-once over any crash.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lazulite.batch.engine import (
    Done,
    Engine,
    Event,
    Failed,
    FilesFailed,
    NodeAddress,
    Note,
    ProcessName,
    Returned,
    ShutdownFailed,
)
from lazulite.batch.failures import FailedItems
from lazulite.batch.inputs import Cut, InputsFile, list_files
from lazulite.batch.job import Job
from lazulite.batch.journal import Journal, Kind, Record
from lazulite.batch.launch import script_logs
from lazulite.batch.logs import JobLogs
from lazulite.batch.policy import Counts, Policy, Rules
from lazulite.batch.progress import Progress, State
from lazulite.batch.publication import (
    Publication,
    rows_as,
    rows_in_input_order,
    summary,
    summary_as,
)
from lazulite.batch.reruns import failed_inputs
from lazulite.batch.row_cuts import cut
from lazulite.store.files import read_json
from lazulite_worker.batch_inputs import MiniBatches, RowRange

TEND_S = 0.25
OVERVIEW_S = 30.0
SHUTDOWN_S = 30.0
"""What shutdown() of the script may take, once all mini-batches are done."""


class Canceled(Exception):  # noqa: N818 - not an error: the user's wish
    """The job is to end now, with nothing published."""


class Paused(Exception):  # noqa: N818 - not an error: the user's wish
    """Nobody works on anything, and nobody shall until the job is resumed."""


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the user wants of a running job; asked for several times a second."""

    cancel: Callable[[], bool]
    pause: Callable[[], bool] = bool


class JobRun:
    """Brings one job from wherever its folder says it is to its published output."""

    def __init__(
        self,
        folder: Path,
        job: Job,
        progress: Progress,
        logs: JobLogs,
        wishes: Wishes,
    ) -> None:
        """The run of the job in the folder."""
        self._folder, self._job, self._progress, self._logs = folder, job, progress, logs
        self._wishes = wishes
        self._publication = Publication(folder, Path(job.output_dir, job.output_file_name))
        self._nodes = _NodesFile(folder / "nodes.json")
        self._tended, self._overview = 0.0, time.monotonic()
        self._counts = Counts()
        self._errors: dict[int, Mapping[str, str]] = {}
        self._warning = ""

    @property
    def counts(self) -> Counts:
        """How far the job is."""
        return self._counts

    @property
    def warning(self) -> str:
        """What went wrong besides, of a job that is completed all the same."""
        return self._warning

    def run(self, engine_of: Callable[[InputsFile], Engine]) -> None:
        """Run to the published output. engine_of: makes the engine for the job's inputs.

        Raises Canceled, Paused, SpecError for what the user must know, OSError if storage fails.
        """
        self._publication.check()
        for folder in (Path(self._job.output_dir), script_logs(self._job.log_dir)):
            folder.mkdir(parents=True, exist_ok=True)
        self._progress.enter(State.PREPARING, self._counts)
        inputs = InputsFile(self._folder)
        engine = engine_of(inputs)
        try:
            early = [] if inputs.is_written else self._list(inputs, engine)
            self._take_up(inputs.read())
            self._work(engine, early)
            self._finalize(engine)
        finally:
            engine.close()
            inputs.close()

    def _list(self, inputs: InputsFile, engine: Engine) -> list[Event]:
        """Fix the mini-batches, while the first processes are starting."""
        events = engine.attach(self._nodes.changed() or [])
        events += engine.poll(0.05)
        began = time.monotonic()
        found = self._found()
        inputs.write(self._cut(found))
        self._logs.driver(f"Listed {len(found)} files in {time.monotonic() - began:.2f} s")
        return events

    def _found(self) -> Sequence[bytes | RowRange]:
        """The files of the inputs; of a rerun, those and the parts of tables that failed."""
        if self._job.rerun_of:
            return failed_inputs(Path(self._job.rerun_of), self._job.inputs)
        return list_files(self._job.inputs, self._check_canceled)

    def _cut(self, found: Sequence[bytes | RowRange]) -> Cut:
        job = self._job
        return cut(found, job.mini_batch_size, job.rows_per_mini_batch, self._check_canceled)

    def _take_up(self, batches: MiniBatches) -> None:
        """Open journal and failures; what they hold is done."""
        self._batches = batches
        self._journal = Journal(self._folder, batches.crc, len(batches))
        rules = Rules(
            max_retries=self._job.max_retries,
            error_threshold=self._job.error_threshold,
            failed_starts=3 * self._job.processes_per_node,
            allowed_failed_count=self._job.allowed_failed_count,
            allowed_failed_percent=self._job.allowed_failed_percent,
        )
        before = self._journal.recovered()
        self._policy = Policy(rules, len(batches), batches.items, before)
        self._counts = self._policy.counts
        self._failures = FailedItems(self._folder, self._journal.is_closed)
        if self._counts.done:
            self._logs.driver(f"Resumed: {self._counts.done} mini batches were done before")

    def _work(self, engine: Engine, early: list[Event]) -> None:
        """Until every mini-batch is decided."""
        policy = self._policy
        self._settle(early)
        # Before the first mini-batch, not after it: then no worker waits for these files.
        self._tend(engine)
        while not policy.is_over:
            if self._wishes.pause():
                self._pause_once_idle()
            elif engine.feed(policy.take, policy.pending):
                self._progress.begin_mini_batches()
            self._settle(engine.poll(1.0))
            policy.check(engine.ready, engine.untried)
            self._tend(engine)
        policy.check(engine.ready, engine.untried)

    def _pause_once_idle(self) -> None:
        """What was begun is finished, so that no file is scored twice for a pause."""
        if not self._policy.in_hand:
            self._journal.sync()
            raise Paused

    def _settle(self, events: Sequence[Event]) -> None:
        """Decide on what happened, and journal it."""
        records = [record for event in events if (record := self._decide(event)) is not None]
        if records:
            self._journal.commit(records)

    def _decide(self, event: Event) -> Record | None:
        if isinstance(event, Done):
            return self._returned(event)
        if isinstance(event, Failed):
            reason = f"{event.status}: {event.reason}"
            return self._attempt_failed(event.name, event.mini_batch, reason)
        if isinstance(event, Returned):
            self._policy.give_back(event.mini_batches)
        elif isinstance(event, FilesFailed):
            self._errors[event.mini_batch] = event.errors
        elif isinstance(event, ShutdownFailed):
            self._shutdown_failed(event)
        elif isinstance(event, Note):
            self._logs.driver(event.text)
        else:
            self._policy.start_failed(event.reason, hung=event.hung)
            self._logs.start_failed(event.name, event.reason)
        return None

    def _returned(self, done: Done) -> Record | None:
        number, items = done.mini_batch, self._batches.count(done.mini_batch)
        self._logs.mini_batch(done, items)
        if done.raised:
            return self._attempt_failed(done.name, number, done.payload.decode("utf-8", "replace"))
        record = self._policy.returned(number, items, done.succeeded, done.rows, done.payload)
        if record is not None and record.succeeded < items:
            self._note_missing(done.name, record)
        self._errors.pop(number, None)
        return record

    def _note_missing(self, name: ProcessName, record: Record) -> None:
        """Note what run() has no result for: by name if the process told, else by number."""
        number, items, errors = record.mini_batch, record.items, self._errors_of(record.mini_batch)
        reasons = [f"{path}: {error}" for path, error in errors.items()]
        for path, error in errors.items():
            self._failures.failed([path], number, record.attempt, error)
        if (missing := items - record.succeeded - len(errors)) > 0:
            unit = "rows" if self._batches.row_range(number) else "files"
            reasons.append(f"run() returned {record.succeeded} results for {items} {unit}")
            self._failures.short(missing, number, record.attempt, reasons[-1])
        for reason in reasons:
            self._policy.last_failure = reason
            self._logs.attempt_failed(name, number, reason)

    def _errors_of(self, number: int) -> dict[str, str]:
        """What the process told of files that the mini-batch has."""
        told = self._errors.get(number, {})
        return {path: told[path] for path in self._batches[number] if path in told} if told else {}

    def _attempt_failed(self, name: ProcessName, number: int, reason: str) -> Record | None:
        record = self._policy.attempt_failed(number, self._batches.count(number), reason[-4096:])
        self._logs.attempt_failed(name, number, reason)
        if record is not None and record.kind is Kind.FAILED:
            self._note_failed(number, record.attempt, reason[-4096:])
        self._errors.pop(number, None)
        return record

    def _note_failed(self, number: int, attempt: int, reason: str) -> None:
        part = self._batches.row_range(number)
        if part is None:
            paths, own = self._batches[number], self._errors_of(number)
            self._failures.failed(paths, number, attempt, reason, own)
        else:
            self._failures.part_failed(part, number, attempt, reason)

    def _tend(self, engine: Engine) -> None:
        """What is due a few times a second."""
        now = time.monotonic()
        if now - self._tended < TEND_S:
            return
        self._tended = now
        self._check_canceled()
        if (nodes := self._nodes.changed()) is not None:
            self._settle(engine.attach(nodes))
        self._progress.note(self._counts)
        self._logs.flush()
        if now - self._overview >= OVERVIEW_S:
            self._overview = now
            self._logs.overview(self._counts, self._progress.elapsed_s, self._progress.started)

    def _finalize(self, engine: Engine) -> None:
        """Publish while the processes shut down; a script may write its own files there."""
        self._progress.end_mini_batches(self._counts)
        engine.finish()
        self._failures.close()
        self._journal.sync()
        self._check_canceled()
        if self._job.output_action == "summary_only":
            self._await_shutdown(engine)
            self._publication.publish(self._summary())
        else:
            self._publication.publish(self._rows())
            self._await_shutdown(engine)
        self._journal.close()
        self._logs.flush()
        self._logs.overview(self._counts, self._progress.elapsed_s, self._progress.started)

    def _rows(self) -> Iterator[bytes]:
        chosen = self._job.output_format
        return rows_as(chosen, self._journal) if chosen else rows_in_input_order(self._journal)

    def _summary(self) -> Iterator[bytes]:
        chosen, journal, batches = self._job.output_format, self._journal, self._batches
        return summary_as(chosen, journal, batches) if chosen else summary(journal, batches)

    def _await_shutdown(self, engine: Engine) -> None:
        """Until all processes have ended; those that take too long are killed at close()."""
        deadline = time.monotonic() + SHUTDOWN_S
        while not engine.is_idle and time.monotonic() < deadline:
            self._settle(engine.poll(0.1))
        if not engine.is_idle:
            self._warn(f"shutdown() did not return within {SHUTDOWN_S:g} s and was killed.")
            self._logs.shutdown_failed(None, "it did not return in time and was killed")

    def _shutdown_failed(self, event: ShutdownFailed) -> None:
        self._warn(f"shutdown() failed in {event.name.node} {event.name.process}.")
        self._logs.shutdown_failed(event.name, event.reason)

    def _warn(self, text: str) -> None:
        self._warning = f"{text} See logs/user/error.txt."

    def _check_canceled(self) -> None:
        if self._wishes.cancel():
            raise Canceled


class _NodesFile:
    """nodes.json, read again when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    def changed(self) -> list[NodeAddress] | None:
        """The job's nodes if the file is new; None if it is as before, missing, or half-written."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino)
            if seen == self._seen:
                return None
            nodes = read_json(self._path)["nodes"]
            addresses = [NodeAddress(node["id"], node["socket"]) for node in nodes]
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None
        self._seen = seen
        return addresses
