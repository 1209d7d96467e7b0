"""Asks a replica whether it is well, without waiting for it.

A replica runs one request at a time, so one that runs a request is not asked: that it is busy says
that it lives, and the time limit of run() says for how long. Source: spec/ONLINE.md 3, health.
"""

from __future__ import annotations

import math
import socket
from typing import Protocol

from lazulite.serving.own_server import Probe

QUESTION = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FIRST_LOOK_S = 0.01
LONGEST_LOOK_S = 0.2


class Asked(Protocol):
    """What a probe knows of a process."""

    @property
    def is_busy(self) -> bool:
        """Whether it is at work on a request."""


class ReplicaProbe:
    """One probe of one process. Call look() when `due` (time.monotonic) has come."""

    def __init__(self, probe: Probe, started: float, ready: float) -> None:
        """started, ready: when the process was started, and when it could answer."""
        self._probe = probe
        self.due = max(ready + probe.period_s, started + probe.delay_s)
        self.well, self.ill = 0, 0
        """Good and bad answers in a row."""
        self._socket: socket.socket | None = None
        self._asked_at = 0.0
        self._pause_s = FIRST_LOOK_S

    @property
    def has_succeeded(self) -> bool:
        """Whether it has answered well often enough."""
        return self.well >= self._probe.successes

    @property
    def has_failed(self) -> bool:
        """Whether it has answered badly too often."""
        return self.ill >= self._probe.failures

    @property
    def complaint(self) -> str:
        """What is wrong, for messages."""
        return f"failed {self.ill} times in a row: no answer within {self._probe.timeout_s:g} s"

    def look(self, now: float, process: Asked, path: str) -> None:
        """Ask, or look for the answer. path: of the process's socket."""
        if self._socket is None:
            self._ask(now, process, path)
            return
        answer = self._answer()
        if answer is not None:
            self._note(is_well=answer.startswith(b"HTTP/1.1 200 "))
        elif process.is_busy:
            self._note(is_well=True)
        elif now >= self._asked_at + self._probe.timeout_s:
            self._note(is_well=False)
        else:
            self._pause_s = min(2 * self._pause_s, LONGEST_LOOK_S)
            self.due = min(now + self._pause_s, self._asked_at + self._probe.timeout_s)

    def start_over(self, now: float) -> None:
        """Forget what was answered; ask again in a period."""
        self.close()
        self.well, self.ill, self.due = 0, 0, now + self._probe.period_s

    def close(self) -> None:
        """Ask no more. Safe to repeat."""
        self.due = math.inf
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, now: float, process: Asked, path: str) -> None:
        self._asked_at, self._pause_s = now, FIRST_LOOK_S
        if process.is_busy:
            self._note(is_well=True)
            return
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setblocking(False)
        try:
            self._socket.connect(path)
            self._socket.send(QUESTION)
        except OSError:  # a full backlog, too: nobody takes from it, and nothing runs
            self._note(is_well=False)
        else:
            self.due = now + self._pause_s

    def _answer(self) -> bytes | None:
        """The beginning of the answer; b"" for a broken connection; None if there is none yet."""
        assert self._socket is not None  # noqa: S101 - look() has asked
        try:
            return self._socket.recv(64)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _note(self, *, is_well: bool) -> None:
        self.well, self.ill = (self.well + 1, 0) if is_well else (0, self.ill + 1)
        self.close()
        self.due = self._asked_at + max(self._probe.period_s, FIRST_LOOK_S)
