"""What runs on a data folder: the one control plane that holds it, and the tasks it started."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lazulite.app.layout import Layout
from lazulite.core.errors import LazuliteError
from lazulite.executors.local import LocalExecutor
from lazulite.executors.protocol import Phase
from lazulite.serving.edge import TASK_NAME

STOP_PATIENCE_S = 15.0
LOCK_PATIENCE_S = 0.5


class AlreadyRunningError(LazuliteError):
    """Another control plane works on the data folder."""

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(
            "AlreadyRunning",
            f"A server (pid {pid}) runs on {str(folder)!r} already: use it, stop it with "
            "`lazulite down`, or choose another --data-dir.",
        )


@contextlib.contextmanager
def hold(layout: Layout) -> Iterator[None]:
    """Be the only control plane of a data folder. Raises AlreadyRunningError naming the other.

    Patient for a moment: commands that ask who holds the lock take it, too.
    """
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while holder(layout) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    with _locked(layout.lock) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def holder(layout: Layout) -> int | None:
    """The pid of the running control plane; None if none runs."""
    try:
        with _locked(layout.lock):
            return None
    except FileNotFoundError:
        return None
    except AlreadyRunningError:
        text = layout.lock.read_text().strip()
        return int(text) if text.isdigit() else -1


async def stop_tasks(executor: LocalExecutor) -> None:
    """Stop whatever runs, the front door last. Jobs are killed: they go on at the next start."""
    names = [name for name in executor.names() if name != TASK_NAME]
    for name in names:
        await executor.stop(name, kill=name.startswith(("job-", "env-")))
    await _ended(executor, names)
    await executor.stop(TASK_NAME)
    await _ended(executor, [TASK_NAME])


def read_state(layout: Layout) -> dict[str, Any] | None:
    """What the running server wrote of itself; None if none is ready."""
    try:
        found: dict[str, Any] = json.loads(layout.state.read_bytes())
    except FileNotFoundError:
        return None
    return found


async def _ended(executor: LocalExecutor, names: list[str]) -> None:
    """Wait for tasks that were told to stop; kill those that take too long."""
    deadline = asyncio.get_running_loop().time() + STOP_PATIENCE_S
    left = names
    while left:
        left = [name for name in left if await executor.observe(name) is Phase.RUNNING]
        late = asyncio.get_running_loop().time() > deadline
        for name in left if late else []:
            await executor.stop(name, kill=True)
        await asyncio.sleep(0.02)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = path.read_text().strip() or "unknown"
            raise AlreadyRunningError(path.parent, pid) from error
        yield file
