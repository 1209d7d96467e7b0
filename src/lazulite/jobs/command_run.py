"""One run of a command: on a node, with a log, until it ends or has to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lazulite.core.errors import SpecError
from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.links import opener_without_links
from lazulite.executors.node_wire import LinkClosedError
from lazulite.jobs.node_command import NodeCommand
from lazulite.jobs.progress import ProgressFile
from lazulite.jobs.spec import CommandSpec
from lazulite.jobs.work_folder import WorkFolder
from lazulite.store.files import read_json

MOST_ATTEMPTS = 3
POLL_S = 0.1
GRACE_S = 5.0
"""Between SIGTERM and SIGKILL."""


class Canceled(Exception):  # noqa: N818 - not an error: the user's wish
    """The command is to end now, or was ended. error: why, if nobody asked for it."""

    def __init__(self, error: dict[str, str] | None = None) -> None:
        super().__init__()
        self.error = error


class CommandRun:
    """Runs the command of one job, on whichever node it has."""

    def __init__(
        self, folder: Path, spec: CommandSpec, progress: ProgressFile, canceled: Callable[[], bool]
    ) -> None:
        """canceled: asked several times a second whether the user wants the job to end."""
        self._folder, self._spec, self._progress = folder, spec, progress
        self._canceled = canceled
        self.work = WorkFolder(folder / "work", spec)

    def run(self) -> int:
        """The exit status of the command. Raises Canceled, SpecError, OSError."""
        while True:
            command = self._node()
            try:
                return self._attempt(command)
            except LinkClosedError:
                self._note("The node was lost.")
            finally:
                command.close()

    def _node(self) -> NodeCommand:
        """A node that serves this job. Raises Canceled."""
        while True:
            for node in (read_json(self._folder / "nodes.json") or {"nodes": ()})["nodes"][:1]:
                try:
                    return self._connected(node["socket"])
                except LinkClosedError:
                    pass  # it is gone, and nodes.json will say so
            self._check_canceled()
            time.sleep(POLL_S)

    def _connected(self, socket: str) -> NodeCommand:
        command = NodeCommand(socket)
        try:
            while not command.is_ready:
                self._check_canceled()
                command.poll(POLL_S)
        except BaseException:
            command.close()
            raise
        return command

    def _attempt(self, command: NodeCommand) -> int:
        """Start the command and wait for its end. Raises LinkClosedError if the node is lost."""
        attempts = self._progress.now.attempt
        if attempts >= MOST_ATTEMPTS:
            raise SpecError(
                "RunInterrupted",
                f"The command was started {attempts} times, and each time its node or the server "
                "was lost before it ended. See whether the machine runs out of memory, then submit "
                "the job again.",
            )
        self.work.make()
        if attempts:
            self._note(f"The command starts again, from the beginning (attempt {attempts + 1}).")
        self._progress.begin_attempt()
        spec = self._spec
        launch = Launch(argv=spec.argv, env=spec.env, cwd=str(self.work.path))
        sandbox = Sandbox.from_json(spec.sandbox).showing(launch.cwd, writable=True)
        command.start(launch, sandbox, spec.log)
        while command.exit_status is None:
            if self._canceled():
                raise self._ended(command, Canceled())
            if self._is_over_time():
                raise self._ended(command, self._timed_out())
            command.poll(POLL_S)
        return command.exit_status

    def _is_over_time(self) -> bool:
        limit = self._spec.timeout_s
        return limit is not None and self._progress.elapsed_s() >= limit

    def _timed_out(self) -> Canceled:
        """Azure cancels what runs longer than its limit. Source: spec/REST.md 7.5."""
        message = f"The command ran longer than its limit of {self._spec.timeout_s:g} s."
        return Canceled({"code": "JobTimedOut", "message": message})

    def _ended(self, command: NodeCommand, wish: Canceled) -> Canceled:
        """End the command, gently first."""
        command.ask_to_end()
        deadline = time.monotonic() + GRACE_S
        try:
            while command.exit_status is None:
                if time.monotonic() >= deadline:
                    command.kill()
                command.poll(POLL_S)
        except LinkClosedError:
            pass  # the node has killed it
        self._note(wish.error["message"] if wish.error else "The job was canceled.")
        return wish

    def _check_canceled(self) -> None:
        if self._canceled():
            raise Canceled

    def _note(self, text: str) -> None:
        """A line of ours in the run's log."""
        with open(self._spec.log, "a", opener=opener_without_links) as log:
            log.write(f"[lazulite] {text}\n")
