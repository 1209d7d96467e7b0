"""A listening socket for replicas, the keeper's own: it outlives the processes that serve it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

BACKLOG = 1 << 15  # the kernel cuts it to somaxconn


class ReplicaSocket:
    """A Unix socket that is closed, open but hidden (no client finds it), or open and visible."""

    def __init__(self, path: str) -> None:
        """path: where clients look for it; a file left there by an earlier keeper is replaced."""
        self.path = path
        self.is_visible = False
        self._hidden = path + ".new"
        self._socket: socket.socket | None = None

    @property
    def place(self) -> str:
        """Where it is found now, hidden or not."""
        return self.path if self.is_visible else self._hidden

    @property
    def is_open(self) -> bool:
        """True if connections to it can be waiting."""
        return self._socket is not None

    def fileno(self) -> int:
        """The descriptor to pass to a replica; opens the socket, hidden, if it is closed."""
        if self._socket is None:
            self._socket = _listening(self._hidden)
        return self._socket.fileno()

    def show(self) -> None:
        """Let clients connect. Opens the socket if it is closed."""
        self.fileno()
        if not self.is_visible:
            os.rename(self._hidden, self.path)  # noqa: PTH104 - str paths, atomic
            self.is_visible = True

    def hide(self) -> None:
        """Let no new client connect; those that wait go on waiting."""
        if self.is_visible:
            os.rename(self.path, self._hidden)  # noqa: PTH104 - str paths, atomic
            self.is_visible = False

    def close(self) -> None:
        """Turn away those that wait: they see their connection reset. Safe to repeat."""
        if self._socket is not None:
            _unlink(self.place)
            self._socket.close()
            self._socket, self.is_visible = None, False


class ReplicaPort:
    """A port of this machine's loopback, for clients that reach replicas without a front door."""

    def __init__(self, port: int) -> None:
        """Nobody else may listen there."""
        self.port = port
        self._socket: socket.socket | None = None

    def fileno(self) -> int:
        """The descriptor to pass to a replica; clients can connect from now on."""
        if self._socket is None:
            self._socket = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
        return self._socket.fileno()

    def show(self) -> None:
        """Let clients connect. Raises OSError if the port is taken."""
        self.fileno()

    def close(self) -> None:
        """Turn away those that wait. Safe to repeat."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def waiting_at(path: str, port: int | None) -> ReplicaSocket | ReplicaPort:
    """Where requests wait for whichever replica is ready next."""
    return ReplicaSocket(path) if port is None else ReplicaPort(port)


def _listening(path: str) -> socket.socket:
    _unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # the file is made by bind(): 0600 from its first moment
    try:
        listener.bind(path)
    finally:
        os.umask(mask)
    listener.listen(BACKLOG)
    return listener


def _unlink(path: str) -> None:
    Path(path).unlink(missing_ok=True)
