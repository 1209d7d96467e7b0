"""One command on one node, over the node's socket: started, watched, signalled."""

from __future__ import annotations

import select
import signal
from pathlib import Path

from lazulite.core.errors import SpecError
from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.node_wire import Link, LinkClosedError, connect

_ID = 1  # a connection runs one command


class NodeCommand:
    """The connection to a node, which ends the command when the connection ends."""

    def __init__(self, socket: str) -> None:
        """Raises LinkClosedError if no node listens there."""
        self._link: Link = connect(socket)
        self.is_ready = False
        """Whether the node serves this connection: another job may hold it still."""
        self.exit_status: int | None = None
        """As subprocess has it, once the command has ended: negative for a signal."""

    def start(self, launch: Launch, sandbox: Sandbox, log: Path) -> None:
        """Start the command. Raises LinkClosedError."""
        request = {
            "id": _ID,
            "argv": list(launch.argv),
            "env": dict(launch.env),
            "cwd": launch.cwd,
            "stdout": str(log),
            "stderr": str(log),
            "sandbox": sandbox.to_json(),
        }
        self._link.send({"start": request})

    def poll(self, seconds: float) -> None:
        """Take in what the node says, waiting so long for it.

        Raises LinkClosedError when the node is lost, SpecError if the command cannot be started.
        """
        select.select([self._link], [], [], seconds)
        for message, _ in self._link.receive():
            if "hello" in message:
                self.is_ready = True
            elif "failed" in message:
                raise SpecError(
                    "CommandNotStarted",
                    f"The command cannot be started: {message['failed']['error']}",
                )
            elif "exited" in message:
                self.exit_status = int(message["exited"]["status"])

    def ask_to_end(self) -> None:
        """SIGTERM."""
        self._send({"signal": {"id": _ID, "signal": int(signal.SIGTERM)}})

    def kill(self) -> None:
        """SIGKILL for the command and all that it started."""
        self._send({"kill": {"id": _ID}})

    def close(self) -> None:
        """Let go of the node."""
        self._link.close()

    def _send(self, message: dict[str, object]) -> None:
        try:
            self._link.send(message)
        except LinkClosedError:
            return  # poll() tells
