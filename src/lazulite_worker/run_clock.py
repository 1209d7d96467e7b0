"""The time limit of run(): SIGALRM raises in the main thread, for next to nothing per request.

The timer is armed at most once per limit, not once per request: when it fires early it is set to
what is left of the request that runs then. The start of the running request also stands in a
shared cell, by which the keeper ends a process whose run() never comes back to Python, and leaves
one in peace that is busy. A negative start: the parts of an answer are being sent.
"""

import mmap
import signal
import struct
from time import monotonic

CELL_SIZE = 8
_START = struct.Struct("=d")
_REPEAT_S = 0.5


class ScoringTimeoutError(TimeoutError):
    """run() did not return in time. A TimeoutError, as what Azure's server raises."""


class RunClock(object):
    """Measures run() and interrupts it. Belongs to the main thread."""

    def __init__(self, limit_ms, cell=None):
        """limit_ms: of one run(); cell: CELL_SIZE writable bytes, shared with the keeper."""
        self.limit_ms = limit_ms
        self._limit_s = limit_ms / 1000.0
        self._cell = bytearray(CELL_SIZE) if cell is None else cell
        self._started = 0.0
        self._armed = False

    def install(self):
        """Take SIGALRM for this process. User code that takes it back loses the time limit."""
        signal.signal(signal.SIGALRM, self._on_alarm)

    def start(self):
        """run() begins. Once it is late, ScoringTimeoutError is raised inside it."""
        self._started = now = monotonic()
        _START.pack_into(self._cell, 0, now)
        if not self._armed:
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, self._limit_s)
        return now

    def stop(self):
        """run() ended: from here on nothing is interrupted. May be called twice."""
        self._started = 0.0
        _START.pack_into(self._cell, 0, 0.0)

    def send(self):
        """Between two calls of user code a part of the answer is sent, as fast as it is read."""
        _START.pack_into(self._cell, 0, -monotonic())

    def _on_alarm(self, _signal, _frame):
        if not self._started:
            self._armed = False
            return
        left = self._started + self._limit_s - monotonic()
        if left > 0:
            signal.setitimer(signal.ITIMER_REAL, left)
            return
        # Again in a while, for code that swallows the exception and goes on.
        signal.setitimer(signal.ITIMER_REAL, _REPEAT_S)
        raise ScoringTimeoutError("run() took longer than %d ms" % self.limit_ms)


def shared_cell(descriptor):
    """The cell behind a file descriptor that a keeper passed on."""
    return mmap.mmap(descriptor, CELL_SIZE)
