"""The log files of a batch job, laid out as Azure's. Source: spec/BATCH.md 1.6.

A log that cannot be written must not cost a job its results: such errors are counted, not raised.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lazulite.batch.engine import Done, ProcessName
from lazulite.batch.policy import Counts
from lazulite.executors.links import opener_without_links

README = """Where to look
  user/error.txt                what failed, in short; begin here
  user/error/<node>/            the same with full tracebacks, by process
  user/stdout, user/stderr      what the scoring script printed and logged, by node and process
  user/entry_script_log         EntryScript().logger
  job_progress_overview.*.txt   how far the job was, when
  job_result.txt                how it ended
  failed_items.jsonl            every file that failed, with mini-batch, attempt and error
  sys/master_role.txt           what the supervisor did: nodes, processes, retries
  sys/node/<node>/              one line for every mini-batch, by process
  sys/error/<node>/             processes that could not be started
  perf/<node>/                  processor, memory and disk, once a minute and at the end
  ../azureml-logs/70_driver_log.txt  the same as sys/master_role.txt
"""
DRIVER = ("sys/master_role.txt", "../azureml-logs/70_driver_log.txt")
"""The log of the supervisor, under the names where people look for it."""
_NODE_HEADER = "ended\tmini_batch\ttotal\tsucceeded\tfailed\trun_s\tstatus\n"
_LONGEST_IN_SUMMARY = 2000


class JobLogs:
    """Writes the log files under a job's log folder."""

    def __init__(self, folder: Path, clock: Callable[[], float], *, each_mini_batch: bool) -> None:
        """clock: unix time in seconds. each_mini_batch: keep a line of every mini-batch."""
        self._folder, self._clock, self._each = folder, clock, each_mini_batch
        self._done: list[tuple[ProcessName, float, int, int, int, bool, float]] = []
        self._began: set[ProcessName] = set()
        self._failures = Counter[tuple[ProcessName, str]]()
        self.lost = 0
        """How many writes failed."""
        self._write("readme.txt", README, mode="w")

    def driver(self, text: str) -> None:
        """A line of what the supervisor does, in its own log and on its stdout."""
        line = f"{self._now():%Y-%m-%d %H:%M:%S.%f} {text}\n"
        for name in DRIVER:
            self._write(name, line)
        sys.stdout.write(line)
        sys.stdout.flush()

    def mini_batch(self, done: Done, items: int) -> None:
        """Note a run() that came back; written at the next flush()."""
        if self._each:
            name, number, raised, succeeded, _, seconds, _ = done
            self._done.append((name, self._clock(), number, items, succeeded, raised, seconds))

    def attempt_failed(self, name: ProcessName, mini_batch: int, text: str) -> None:
        """A mini-batch failed in a process: in full by process, in short for all."""
        self._failures[name, "failed tries of mini-batches"] += 1
        head = (
            f"{self._now():%Y-%m-%d %H:%M:%S} mini-batch {mini_batch} in {name.node} {name.process}"
        )
        self._write(f"user/error/{name.node}/{name.process}.txt", f"{head}:\n{text}\n\n")
        self._write("user/error.txt", f"{head}: {_shortened(text)}\n")

    def start_failed(self, name: ProcessName, text: str) -> None:
        """A process could not be started."""
        self._failures[name, "failed starts"] += 1
        head = f"{self._now():%Y-%m-%d %H:%M:%S} {name.node} {name.process} did not start"
        self._write(f"sys/error/{name.node}/{name.process}.txt", f"{head}:\n{text}\n")
        self._write(f"user/error/{name.node}/{name.process}.txt", f"{head}:\n{text}\n")
        self._write("user/error.txt", f"{head}: {_shortened(text)}\n")

    def overview(self, counts: Counts, elapsed_s: float, started: float) -> None:
        """How far the job is, in a file per day, and on stdout."""
        day = datetime.fromtimestamp(started, UTC) + timedelta(days=int(elapsed_s // 86400))
        line = progress_line(counts, elapsed_s)
        self._write(
            f"job_progress_overview.{day:%Y%m%d%H%M%S}.txt", f"{self._now():%H:%M:%S} {line}\n"
        )
        self.driver(line)

    def result(self, text: str) -> None:
        """How the job ended, and which processes have failed at what."""
        result = f"{self._now():%Y-%m-%d %H:%M:%S} {text}\n{self._summary()}"
        self._write("job_result.txt", result, mode="w")
        self.driver(text)

    def keep(self, file: Path) -> None:
        """Put a copy of a file of the job among the logs, unless it has nothing to say."""
        try:
            if file.exists() and file.stat().st_size:
                part = self._folder / f".{file.name}.part"
                part.unlink(missing_ok=True)  # user code may write there: follow no link
                with file.open("rb") as source, open(part, "wb", opener=opener_without_links) as to:
                    shutil.copyfileobj(source, to)
                part.replace(self._folder / file.name)
        except OSError:
            self.lost += 1

    def flush(self) -> None:
        """Write the lines of mini-batches."""
        by_name = defaultdict[ProcessName, list[str]](list)
        for name, ended, number, items, succeeded, raised, seconds in self._done:
            by_name[name].append(
                f"{ended:.3f}\t{number}\t{items}\t{succeeded}\t{items - succeeded}"
                f"\t{seconds:.6f}\t{'FAILED' if raised else 'DONE'}\n"
            )
        self._done.clear()
        for name, lines in by_name.items():
            head = () if name in self._began else (_NODE_HEADER,)
            self._began.add(name)
            self._write(f"sys/node/{name.node}/{name.process}.txt", "".join((*head, *lines)))

    def _summary(self) -> str:
        """Failures by node and process, since this supervisor began."""
        lines = [
            f"  {name.node} {name.process}: {count} {what}\n"
            for (name, what), count in self._failures.items()
        ]
        head = "\nFailures by node and process; user/error/<node>/<process>.txt has them in full:\n"
        return head + "".join(lines) if lines else ""

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _write(self, name: str, text: str, mode: str = "a") -> None:
        path = self._folder / name
        try:
            with open(
                *(path, mode),
                encoding="utf-8",
                errors="backslashreplace",
                opener=opener_without_links,
            ) as file:
                file.write(text)
        except OSError:
            self.lost += 1


def progress_line(counts: Counts, elapsed_s: float) -> str:
    """Progress in Azure's words, with what is left at the pace so far."""
    elapsed = timedelta(seconds=int(elapsed_s))
    line = f"Processed {counts.done} of {counts.mini_batches} mini batches in {elapsed}."
    if 0 < counts.done < counts.mini_batches:
        left = elapsed_s / counts.done * (counts.mini_batches - counts.done)
        line += f" Estimated remaining time {timedelta(seconds=int(left))}."
    if counts.failed_items or counts.retries:
        line += f" Failed files: {counts.failed_items}. Retries: {counts.retries}."
    return line


def _shortened(text: str) -> str:
    """The line that says what was wrong: the last of a traceback, else the first."""
    lines = text.strip().splitlines() or [""]
    line = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return line[:_LONGEST_IN_SUMMARY]
