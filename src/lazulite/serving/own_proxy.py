"""The HAProxy of one container: from the sockets of its replica to the port it listens at."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence

from lazulite.serving.front_door import find_haproxy
from lazulite.serving.haproxy_text import quoted

LONGEST_S = 200
"""For one answer: the front door gives up before. Source: spec/ONLINE.md 5.5."""


def configuration(listeners: Sequence[int], path: str, port: int) -> str:
    """What it runs with. path: of the scoring route; port: on this machine.

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
            f"  http-request set-path {quoted(path)} if {{ path /score }}",
            "  default_backend container",
            "backend container",
            f"  server container 127.0.0.1:{port:d}",
            "",
        ]
    )


class Proxy:
    """The process, of the replica's group: whoever ends that ends it, too."""

    def __init__(self, listeners: Sequence[int], path: str, port: int) -> None:
        """listeners: descriptors of listening sockets, which stay the caller's."""
        file = os.memfd_create("haproxy.cfg", 0)
        os.write(file, configuration(listeners, path, port).encode())
        os.lseek(file, 0, os.SEEK_SET)
        self._process = subprocess.Popen(
            [find_haproxy(), "-db", "-q", "-f", f"/dev/fd/{file}"],
            pass_fds=(*listeners, file),
            stdin=subprocess.DEVNULL,
        )
        os.close(file)

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
