"""Signals as loops want them: as something to read, and as a wish that is asked for."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterable
from pathlib import Path


def woken_by(
    numbers: Iterable[int], handler: Callable[[int], None] = lambda _number: None
) -> socket.socket:
    """A socket that becomes readable when one of the signals comes; its bytes are their numbers.

    handler: called first, with the number. One socket a process; never blocks when it is read.
    """
    wake, tail = socket.socketpair()
    for end in (wake, tail):
        end.setblocking(False)
    signal.set_wakeup_fd(tail.detach(), warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, lambda found, _frame: handler(found))
    return wake


def cancellation(wish: Path) -> Callable[[], bool]:
    """Whether a job is to be canceled: SIGTERM or SIGINT came, or the file is there."""
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda found, _frame: signals.append(found))
    return lambda: bool(signals) or wish.exists()
