"""The supervisor of one batch job: `python -m lazulite.batch.supervisor <job folder>`.

It reads job.json and nodes.json and needs nobody: the control plane may die, and so may this
process; started again on the same folder it goes on where the journal ends. SIGTERM, or a file
named `cancel` in the folder, cancels; one named `pause` pauses. Exit codes: 0 completed, 1 failed,
2 canceled, 3 paused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from lazulite.batch.failures import FILE as FAILED_ITEMS
from lazulite.batch.inputs import InputsFile
from lazulite.batch.job import Job
from lazulite.batch.job_run import Canceled, JobRun, Paused, Wishes
from lazulite.batch.logs import JobLogs
from lazulite.batch.node_engine import NodeEngine
from lazulite.batch.policy import Counts
from lazulite.batch.progress import EXIT_CODES, PAUSED_EXIT_CODE, Progress, State
from lazulite.batch.publication import Publication
from lazulite.core.errors import SpecError
from lazulite.executors.signals import cancellation
from lazulite.store.files import locked

RESERVE_BYTES = 64 << 10
"""Kept on disk until the end is written, so that a full disk can still be reported."""
STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    state: State
    counts: Counts
    code: str = ""
    message: str = ""

    @property
    def error(self) -> dict[str, str] | None:
        """What progress.json says was wrong."""
        return {"code": self.code, "message": self.message} if self.code else None


def main(arguments: list[str]) -> int:
    """Bring the job in the folder to its end; of a job that has ended, just say again how."""
    folder = Path(arguments[0])
    with locked(folder / "lock"):  # a second supervisor waits, and then finds the job ended
        wishes = Wishes(cancellation(folder / "cancel"), (folder / "pause").exists)
        progress = Progress(folder, time.time)
        if progress.state not in EXIT_CODES:
            outcome = _outcome(folder, progress, wishes)
            progress.enter(outcome.state, outcome.counts, outcome.error)
        if progress.state in EXIT_CODES:
            _tidy(folder, progress.state)
    return EXIT_CODES.get(progress.state, PAUSED_EXIT_CODE)


def _outcome(folder: Path, progress: Progress, wishes: Wishes) -> Outcome:
    """Run the job and say how it ended; the log files say it too."""
    try:
        job = Job.load(folder / "job.json")
    except SpecError as error:
        return Outcome(State.FAILED, Counts(), error.code, error.message)
    logs = JobLogs(Path(job.log_dir), time.time, each_mini_batch=job.logging_level != "warning")
    run = JobRun(folder, job, progress, logs, wishes)
    with _reserve(folder / "reserve"):
        outcome = _run(run, lambda inputs: NodeEngine(job, inputs.descriptor), logs)
        logs.flush()
        logs.keep(folder / FAILED_ITEMS)
    logs.result(f"{outcome.state.capitalize()}. {outcome.message}".strip())
    return outcome


@contextlib.contextmanager
def _reserve(path: Path) -> Iterator[None]:
    """Room on the disk that nothing else takes meanwhile, as far as there is any left."""
    with contextlib.suppress(OSError):
        path.write_bytes(bytes(RESERVE_BYTES))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _run(run: JobRun, engine_of: Callable[[InputsFile], NodeEngine], logs: JobLogs) -> Outcome:
    try:
        run.run(engine_of)
    except (Canceled, Paused) as wish:
        state = State.PAUSED if isinstance(wish, Paused) else State.CANCELED
        return Outcome(state, run.counts)
    except SpecError as error:
        return Outcome(State.FAILED, run.counts, error.code, error.message)
    except OSError as error:
        if error.errno not in STORAGE_ERRORS:
            return _internal(run, logs)
        where = f" ({error.filename})" if error.filename else ""
        message = (
            f"The job's results cannot be written: {error.strerror}{where}. Nothing was published. "
            "Make room, or choose another output path, and invoke again."
        )
        return Outcome(State.FAILED, run.counts, "OutputWriteFailed", message)
    except Exception:  # noqa: BLE001 - the edge of the process: a job must not vanish with a bug
        return _internal(run, logs)
    return Outcome(State.COMPLETED, run.counts, message=run.warning)


def _internal(run: JobRun, logs: JobLogs) -> Outcome:
    text = traceback.format_exc()
    logs.driver(text)
    last = text.strip().splitlines()[-1]
    message = f"The batch supervisor failed: {last}. See logs/sys/master_role.txt."
    return Outcome(State.FAILED, run.counts, "InternalError", message)


def _tidy(folder: Path, state: State) -> None:
    """Drop what only an unfinished job needs. A failed one keeps its rows, for who wants them."""
    try:
        job = Job.load(folder / "job.json")
    except SpecError:
        return
    Publication(folder, Path(job.output_dir, job.output_file_name)).discard()
    if state is State.COMPLETED:
        for name in ("rows", "index"):
            (folder / name).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
