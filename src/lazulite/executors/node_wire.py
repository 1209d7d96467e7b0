"""Messages between a compute node and the job it serves: JSON frames that may carry descriptors."""

from __future__ import annotations

import array
import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("<I")
_DESCRIPTORS_A_READ = 16


class LinkClosedError(ConnectionError):
    """The other side has closed the connection or died."""


def connect(path: str) -> Link:
    """A connection to the node at the socket; it serves once it has said hello.

    Raises LinkClosedError if there is no node now (try again later). Never waits.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise LinkClosedError(f"no node answers at {path}: {error}") from error
    connection.setblocking(True)
    return Link(connection)


class Link:
    """One end of a stream Unix socket that carries messages; reading never blocks."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer, self._descriptors = bytearray(), list[int]()

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._socket.fileno()

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send one message; the descriptors stay open here too. Raises LinkClosedError."""
        body = json.dumps({**message, "descriptors": len(descriptors)}).encode()
        data = memoryview(_LENGTH.pack(len(body)) + body)
        rights = array.array("i", descriptors)
        try:
            control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if descriptors else []
            sent = self._socket.sendmsg([data], control)
            if sent < len(data):  # sending nothing fails, too, once the other side has left
                self._socket.sendall(data[sent:])
        except OSError as error:
            raise LinkClosedError(f"the other side is gone: {error}") from error

    def receive(self) -> list[tuple[dict[str, Any], list[int]]]:
        """The messages that have arrived, with their descriptors (now the caller's to close).

        Raises LinkClosedError once nothing more will come.
        """
        self._fill()
        messages = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            message = json.loads(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            count = message.pop("descriptors")
            messages.append((message, self._descriptors[:count]))
            del self._descriptors[:count]
        return messages

    def close(self) -> None:
        """Close the connection; may be called again."""
        self._socket.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()

    def _fill(self) -> None:
        space = socket.CMSG_SPACE(_DESCRIPTORS_A_READ * array.array("i").itemsize)
        try:
            data, control, _, _ = self._socket.recvmsg(1 << 16, space, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            raise LinkClosedError(f"the other side is gone: {error}") from error
        for level, kind, value in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                rights = array.array("i")
                rights.frombytes(value[: len(value) - len(value) % rights.itemsize])
                self._descriptors += rights
        if not data:
            raise LinkClosedError("the other side has closed the connection")
        self._buffer += data
