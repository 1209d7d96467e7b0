"""The supervisor of one command job: `python -m lazulite.jobs.supervisor <job folder>`.

It reads job.json and nodes.json and needs nobody: the control plane may die. If the node or this
process is lost, the command is started again from the beginning, a few times at most. A file named
`cancel` in the folder, or SIGTERM, cancels. Exit codes: 0 completed, 1 failed, 2 canceled.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from lazulite.core.errors import SpecError
from lazulite.executors.signals import cancellation
from lazulite.jobs.command_run import Canceled, CommandRun
from lazulite.jobs.last_words import last_words
from lazulite.jobs.progress import EXIT_CODES, ProgressFile, State
from lazulite.jobs.spec import CommandSpec
from lazulite.store.files import locked


def main(arguments: list[str]) -> int:
    """Bring the job in the folder to its end; of a job that has ended, just say again how."""
    folder = Path(arguments[0])
    with locked(folder / "lock"):  # a second supervisor waits, and then finds the job ended
        canceled = cancellation(folder / "cancel")
        progress = ProgressFile(folder, time.time)
        if progress.now.state not in EXIT_CODES:
            _bring_to_its_end(folder, progress, canceled)
    return EXIT_CODES[progress.now.state]


def _bring_to_its_end(folder: Path, progress: ProgressFile, canceled: Callable[[], bool]) -> None:
    try:
        spec = CommandSpec.load(folder / "job.json")
    except SpecError as error:
        progress.enter(State.FAILED, error={"code": error.code, "message": error.message})
        return
    run = CommandRun(folder, spec, progress, canceled)
    try:
        _run(run, spec, progress)
    finally:
        run.work.remove()


def _run(run: CommandRun, spec: CommandSpec, progress: ProgressFile) -> None:
    try:
        if progress.now.exit_code is None:  # else an earlier supervisor has seen it end
            status = run.run()
            progress.enter(State.FINALIZING, status if status >= 0 else 128 - status)
        run.work.collect()
        _conclude(progress, spec, progress.now.exit_code or 0)
    except Canceled as wish:
        progress.enter(State.CANCELED, error=wish.error)
    except SpecError as error:
        progress.enter(State.FAILED, error={"code": error.code, "message": error.message})
    except Exception as error:  # noqa: BLE001 - the edge of the process: a job must not vanish
        traceback.print_exc()
        message = f"The job's supervisor failed: {type(error).__name__}: {error}"
        progress.enter(State.FAILED, error={"code": "InternalError", "message": message})


def _conclude(progress: ProgressFile, spec: CommandSpec, code: int) -> None:
    """The end of a command that ended by itself. code: as a shell has it."""
    if code == 0:
        progress.enter(State.COMPLETED, 0)
        return
    how = f"exit code {code}{_signal(code)}"
    message = f"The command ended with {how}. See {spec.log_names[0]} among the run's artifacts."
    error = {"code": "UserProgramFailed", "message": f"{message}\n{last_words(spec.log)}".rstrip()}
    progress.enter(State.FAILED, code, error)


def _signal(code: int) -> str:
    """The signal that an exit code stands for; shells and sandboxes make no difference."""
    names = {128 + number: number.name for number in signal.Signals}
    return f", as by the signal {names[code]}" if code in names else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
