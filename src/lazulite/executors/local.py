"""Tasks as detached processes that outlive the control plane; all that is known is in files.

Each task has a folder: `pid` (the wrapper's pid and its process group), `log`, and `exit` once it
ended. The wrapper is a POSIX shell: it survives everything but its own death, and costs 1 MB.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from lazulite.executors.protocol import Phase, Task
from lazulite.store.files import write_atomically

# The first shell leaves at once, so that nobody has to reap the second one.
DETACH = 'sh -c "$INNER" "$0" "$$" "$@" </dev/null >/dev/null 2>&1 &'
# set -C refuses to overwrite pid: of two shells, racing or after a crash, one runs the command.
# The trap keeps the shell alive through a SIGTERM to its group, so that it can note the exit code.
# One that comes before the command is there finds nobody to end: the file stop says that it came.
INNER = """group=$1; shift; unset INNER; set -C; trap : TERM INT
{ echo "$$ $group" >pid; } 2>/dev/null || exit 0
set +C
( trap - TERM; [ ! -e stop ] || exit 143; exec "$@" ) >>log 2>&1
echo $? >exit.new; mv exit.new exit"""

START_PATIENCE_S = 5.0


class LocalExecutor:
    """Runs tasks on this machine, each in a session of its own."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        """root: where the folders of tasks are; env: what every task's environment starts from."""
        self.root, self.env = root, env
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def ensure(self, task: Task) -> None:
        """Start the task, or adopt the one of that name that was started already."""
        folder = self.folder(task.name)
        if _processes(folder) is not None:
            return
        folder.mkdir(exist_ok=True, mode=0o700)
        for name, text in task.files.items():
            write_atomically(folder / name, text.encode())
        env = {**self.env, **task.env, "INNER": INNER}
        await asyncio.to_thread(_start, folder, task, env)

    async def observe(self, name: str) -> Phase:
        """Where the task stands, by what its files and the process table say."""
        return phase(self.folder(name), name)

    async def stop(self, name: str, *, kill: bool = False) -> None:
        """Signal the task's process group; nothing happens if it has ended."""
        found = _processes(self.folder(name))
        if found is None or phase(self.folder(name), name) is not Phase.RUNNING:
            return
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has gone meanwhile
            (self.folder(name) / "stop").touch()
            os.killpg(found[1], signal.SIGKILL if kill else signal.SIGTERM)

    async def forget(self, name: str) -> None:
        """Remove the task's folder."""
        await asyncio.to_thread(shutil.rmtree, self.folder(name), ignore_errors=True)

    def folder(self, name: str) -> Path:
        """Where the task's files are."""
        return self.root / name

    def names(self) -> list[str]:
        """Every task that was started and not forgotten."""
        return sorted(path.parent.name for path in self.root.glob("*/pid"))


def phase(folder: Path, name: str) -> Phase:
    """What the files of one task say."""
    found = _processes(folder)
    if found is None:
        return Phase.LOST  # never started, or killed before it could say so
    # Asked before exit is read, as the task may end in between.
    alive = _runs(found[0], name) or _has_orphans(found[1], folder)
    code = _text(folder / "exit")
    if code is None:
        return Phase.RUNNING if alive else Phase.LOST
    return Phase.SUCCEEDED if code == "0" else Phase.FAILED


def exit_code(folder: Path) -> int | None:
    """The exit code of an ended task; 128 + n if signal n ended it."""
    code = _text(folder / "exit")
    return None if code is None else int(code)


def _start(folder: Path, task: Task, env: Mapping[str, str]) -> None:
    """Start the wrapper, and wait until it has said which process it is."""
    command = ["/bin/sh", "-c", DETACH, task.name, *task.command]
    subprocess.run(command, cwd=folder, env=env, start_new_session=True, check=True)
    deadline = time.monotonic() + START_PATIENCE_S
    while _processes(folder) is None and time.monotonic() < deadline:
        time.sleep(0.001)


def _processes(folder: Path) -> tuple[int, int] | None:
    """The wrapper's pid and its process group."""
    text = _text(folder / "pid")
    if text is None:
        return None
    pid, group = text.split()
    return int(pid), int(group)


def _runs(pid: int, name: str) -> bool:
    """Whether that process is still this task's: pids are reused, names are not."""
    return name in _command_line(pid).split("\0")


def _has_orphans(group: int, folder: Path) -> bool:
    """Whether the task itself lives on though its wrapper was killed. Known on Linux only."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            state, member_of = fields[0], int(fields[2])
            if member_of == group and state != "Z" and (process / "cwd").readlink() == folder:
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False


def _command_line(pid: int) -> str:
    """The arguments of a process, NUL-separated; empty for none and for zombies."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    shown = subprocess.run(
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "\0".join(shown.stdout.split())


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None
