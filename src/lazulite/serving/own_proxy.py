"""The HAProxy of one container: from the sockets of its replica to the port it listens at."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence

from lazulite.serving.front_door import find_haproxy
from lazulite.serving.haproxy_text import literal, quoted

LONGEST_S = 200
"""For one answer: the front door gives up before. Source: spec/ONLINE.md 5.5."""


START_S = 30.0
"""For its first answer."""


class ProxyError(Exception):
    """It did not start; what it has said is in the replica's log."""


def configuration(listeners: Sequence[int], own: int, path: str, port: int) -> str:
    """What it runs with. path: of the scoring route; port: on this machine.

    own: the listener where it answers by itself, once it has begun with the others.
    Source: Azure's online endpoints send /score to the scoring route, other paths as they are.
    """
    return "\n".join(
        [
            "global",
            "  maxconn 4000",
            f"  hard-stop-after {LONGEST_S}s",
            "defaults",
            "  mode http",
            "  timeout connect 1s",
            f"  timeout client {LONGEST_S}s",
            f"  timeout server {LONGEST_S}s",
            "frontend replica",
            *(f"  bind fd@{listener}" for listener in listeners),
            f"  http-request set-path {quoted(literal(path))} if {{ path /score }}",
            "  default_backend container",
            "frontend own",
            f"  bind fd@{own}",
            "  http-request return status 200",
            "backend container",
            f"  server container 127.0.0.1:{port:d}",
            "",
        ]
    )


class Proxy:
    """The process, of the replica's group: whoever ends that ends it, too."""

    def __init__(self, listeners: Sequence[int], path: str, port: int) -> None:
        """Start it, and return once it answers; raises ProxyError if it does not.

        listeners: descriptors of listening sockets, which stay the caller's.
        """
        with socket.socket(socket.AF_UNIX) as own:
            own.bind("")  # a free abstract name
            own.listen()
            text = configuration(listeners, own.fileno(), path, port)
            self._process = _started(text, (*listeners, own.fileno()))
            name = own.getsockname()
        if not _answers(name):
            self.end()
            raise ProxyError("The proxy before the container did not start.")

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def drain(self) -> None:
        """Take no more requests, and wait until those under way are answered."""
        self._process.send_signal(signal.SIGUSR1)
        self._process.wait()

    def end(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()


def _started(text: str, descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    file = os.memfd_create("haproxy.cfg", 0)
    try:
        os.write(file, text.encode())
        os.lseek(file, 0, os.SEEK_SET)
        return subprocess.Popen(
            [find_haproxy(), "-db", "-f", f"/dev/fd/{file}"],
            pass_fds=(*descriptors, file),
            stdin=subprocess.DEVNULL,
        )
    finally:
        os.close(file)


def _answers(name: bytes) -> bool:
    """Wait until a listener that nobody but the process has is served; false if it ends."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(START_S)
        try:
            client.connect(name)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return client.recv(12).endswith(b"200")
        except OSError:
            return False
