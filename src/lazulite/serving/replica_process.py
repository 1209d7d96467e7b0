"""One replica process: started, listened to, ended with all its children."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile

from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.wrappers import ending, inside, process_of

CELL = struct.Struct("=d")
"""The cell that a replica shares: when its running request began (CLOCK_MONOTONIC), or 0.

Negative while it sends the parts of an answer.
"""


class ReplicaProcess:
    """A process of lazulite_worker.serve in a session of its own.

    The life pipe ends its whole process group when the keeper dies in whatever way.
    """

    def __init__(
        self, start: Launch, sandbox: Sandbox, listeners: tuple[int, int], log: int
    ) -> None:
        """Start it. Raises OSError.

        listeners (its own socket, the one of all replicas) and log: descriptors that stay the
        caller's.
        """
        self._cell_file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._cell_file.truncate(CELL.size)
        self._cell = mmap.mmap(self._cell_file.fileno(), CELL.size)
        self._received = b""
        self.status, status_end = os.pipe()
        life_end, self._life = os.pipe()
        os.set_blocking(self.status, False)
        cell = self._cell_file.fileno()
        own, waiting = listeners
        numbers = {"socket": own, "waiting": waiting}
        numbers |= {"status": status_end, "cell": cell, "life": life_end}
        options = [f"--{name}-fd={number}" for name, number in numbers.items()]
        argv, descriptors = (*start.argv, *options), tuple(numbers.values())
        try:
            bare = dataclasses.replace(start, argv=argv, descriptors=descriptors)
            with inside(sandbox, bare) as launch:
                self._process = subprocess.Popen(
                    launch.argv,
                    env=dict(launch.env),
                    cwd=launch.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=launch.descriptors,
                    start_new_session=True,
                )
        except OSError:
            self.close()
            raise
        finally:
            os.close(status_end)
            os.close(life_end)
        self.pid, self._sandbox = self._process.pid, sandbox

    @property
    def busy_since(self) -> float:
        """When the running run() began (time.monotonic), or 0."""
        return max(0.0, float(CELL.unpack_from(self._cell)[0]))

    @property
    def is_busy(self) -> bool:
        """Whether it runs a request, or sends the parts of an answer: it answers nobody else."""
        return bool(CELL.unpack_from(self._cell)[0])

    def message(self) -> dict[str, str | bool] | None:
        """What the replica says of its start; None if not yet all, empty if it ended silently."""
        try:
            while data := os.read(self.status, 65536):
                self._received += data
        except BlockingIOError:
            return None
        message: dict[str, str | bool] = json.loads(self._received or b"{}")
        return message

    def signal(self, number: int) -> None:
        """Signal the process itself. Safe after its end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_of(self._sandbox, self.pid), number)

    def give_way(self) -> None:
        """Let a request that arrives wake it without pushing its sender off the processor.

        For a replica whose requests come from one sender, the front door: the two would push each
        other off at every fifth request. Only Linux has this; elsewhere it does nothing.
        """
        if sys.platform == "linux":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                pid = process_of(self._sandbox, self.pid)
                os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))

    def kill(self) -> None:
        """End it and all processes of its group. Safe to repeat until it was reaped."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> str | None:
        """How it ended ("signal 9", "exit code 3"), its children killed; None while it runs."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self.pid, options) is None:
            return None
        return self.wait()

    def wait(self) -> str:
        """Wait for its end, kill its children, and say how it ended."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.kill()  # before it is reaped: until then its group's number cannot be another's
        code = ending(self._sandbox, self._process.wait())
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def close(self) -> None:
        """Give back the descriptors. Ends the process, should it live."""
        os.close(self.status)
        os.close(self._life)
        self._cell.close()
        self._cell_file.close()
