"""One worker process as its job sees it: what it was given, what it said, what its slot shows."""

from __future__ import annotations

import dataclasses
import json
import mmap
import os
import signal
import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import Any

from lazulite.batch.engine import Done, Event, FilesFailed, ProcessName
from lazulite.executors.links import opener_without_links
from lazulite_worker.batch_wire import (
    CONFIGURE,
    FAILURES,
    FRAME,
    IDLE,
    INIT_FAILED,
    READY,
    RESULT,
    RESULTS,
    SLOT,
    SLOT_BYTES,
    STOP,
    TASK,
    TASKS,
)

CHUNK_S = 0.02
"""A message carries about so much work: it costs about 50 us, which must not be felt."""
MOST_IN_A_CHUNK = 256
PREFETCH_BELOW_S = 0.1
"""Mini-batches that take longer are handed out one by one, so that none waits behind another."""
HANG_UP_S = 2.0
"""A process that has closed its connection should have ended after so long."""
READ_BYTES = 1 << 18


@dataclasses.dataclass(frozen=True)
class Sentence:
    """Why and since when a process is being ended by us."""

    reason: str
    mini_batch: int
    since: float
    """time.monotonic()"""
    stderr_size: int
    """The stack dump is what comes after it."""


class Worker:
    """The supervisor's end of the connection to a worker process."""

    def __init__(self, key: int, name: ProcessName, seat: int, stderr: Path) -> None:
        """key: the process's number at its node; seat: its place among the node's processes."""
        self.key, self.name, self.seat, self._stderr = key, name, seat, stderr
        self.started = time.monotonic()
        self.ready, self.stopping, self.finished = False, False, 0
        self.pid: int | None = None
        """Of the process, or of what it is wrapped in; None until its node has told."""
        self.init_error: str | None = None
        self.sentence: Sentence | None = None
        self.hung_up: float | None = None
        """When the process closed its end (time.monotonic)."""
        self.given: dict[int, None] = {}
        self._mean_s: float | None = None
        self._buffer = bytearray()
        self._socket, self._far = socket.socketpair()
        self._socket.setblocking(False)
        with tempfile.TemporaryFile() as file:
            self._slot_file = os.dup(file.fileno())
        os.ftruncate(self._slot_file, SLOT_BYTES)
        self._slot = mmap.mmap(self._slot_file, SLOT_BYTES)
        SLOT.pack_into(self._slot, 0, 0.0, IDLE)

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._socket.fileno()

    @property
    def is_closed(self) -> bool:
        """Whether close() was called."""
        return self._socket.fileno() < 0

    @property
    def far_end(self) -> tuple[int, int]:
        """The descriptors that the process gets: its socket and its slot page."""
        return self._far.fileno(), self._slot_file

    @property
    def running(self) -> int:
        """The mini-batch in run(), or IDLE."""
        return int(SLOT.unpack_from(self._slot, 0)[1])

    def configure(self, configuration: dict[str, Any]) -> None:
        """Say what to do; call once, after the far end was handed over."""
        self._far.close()
        os.close(self._slot_file)
        self._send(CONFIGURE, json.dumps(configuration).encode())

    def room(self, share: int) -> int:
        """How many mini-batches it should get now. share: its fair part of what is left."""
        if not self.ready or self.sentence or self.stopping:
            return 0
        if self._mean_s is None or self._mean_s > PREFETCH_BELOW_S:
            return 0 if self.given else 1
        chunk = max(1, min(MOST_IN_A_CHUNK, round(CHUNK_S / max(self._mean_s, 1e-6)), share))
        return chunk if len(self.given) <= chunk else 0

    def give(self, mini_batches: list[int]) -> None:
        """Hand over mini-batches."""
        self.given.update(dict.fromkeys(mini_batches))
        self._send(TASKS, b"".join(map(TASK.pack, mini_batches)))

    def stop(self) -> None:
        """Ask it to call shutdown() and end."""
        self.stopping = True
        self._send(STOP, b"")

    def receive(self, events: list[Event]) -> bool:
        """Take what has arrived; False once nothing more can come."""
        is_open = self._fill()
        begin = 0
        while len(self._buffer) - begin >= FRAME.size:
            length, kind = FRAME.unpack_from(self._buffer, begin)
            end = begin + FRAME.size + length
            if len(self._buffer) < end:
                break
            self._take(kind, begin + FRAME.size, end, events)
            begin = end
        del self._buffer[:begin]
        return is_open

    def overdue(self, now: float, timeout_s: float, init_timeout_s: float) -> str | None:
        """Why the process should be ended now, if it should."""
        if self.hung_up is not None and now - self.hung_up > HANG_UP_S:
            return "the process closed its connection without ending"
        if not self.ready:
            late = now - self.started > init_timeout_s
            return f"init() did not finish within {init_timeout_s:g} s" if late else None
        start, running = SLOT.unpack_from(self._slot, 0)
        late = running != IDLE and now - start > timeout_s
        return f"run() did not return within {timeout_s:g} s" if late else None

    def condemn(self, reason: str, now: float) -> None:
        """Note why it is about to be killed, and what it was doing."""
        size = self._stderr.stat().st_size if self._stderr.exists() else 0
        self.sentence = Sentence(reason, self.running, now, size)

    def obituary(self, status: int) -> str:
        """How it ended, for a person: our reason and the stack, or the exit and its last words."""
        if self.init_error is not None:
            return self.init_error
        if self.sentence is not None:
            return (
                f"{self.sentence.reason}; it was at:\n{self._last_words(self.sentence.stderr_size)}"
            )
        return f"the process {_ending(status)}\n{self._last_words(0)}".rstrip()

    def close(self) -> None:
        """Let go of the socket and the slot."""
        self._socket.close()
        self._slot.close()

    def _take(self, kind: int, begin: int, end: int, events: list[Event]) -> None:
        if kind == RESULTS:
            self._results(begin, end, events)
        elif kind == READY:
            self.ready = True
        elif kind == FAILURES:
            self._failures(bytes(self._buffer[begin:end]), events)
        elif kind == INIT_FAILED:
            self.init_error = self._buffer[begin:end].decode("utf-8", "replace")

    def _results(self, begin: int, end: int, events: list[Event]) -> None:
        buffer, given, mean = self._buffer, self.given, self._mean_s
        while begin < end:
            number, raised, succeeded, rows, seconds, length = RESULT.unpack_from(buffer, begin)
            begin += RESULT.size
            payload = bytes(buffer[begin : begin + length])
            begin += length
            mean = seconds if mean is None else 0.8 * mean + 0.2 * seconds
            # User code shares the process with the sender: believe only what was asked for. And
            # what comes back after the signal may have been cut short by it: it is too late.
            if number in given and not (self.sentence and self.sentence.mini_batch == number):
                del given[number]
                events.append(
                    Done(self.name, number, raised == 1, succeeded, rows, seconds, payload)
                )
        self._mean_s = mean
        self.finished += 1

    def _failures(self, body: bytes, events: list[Event]) -> None:
        """Believe what can be so: this, too, comes from where user code runs."""
        try:
            (number,) = TASK.unpack_from(body)
            errors = {str(path): str(error) for path, error in json.loads(body[TASK.size :])}
        except (struct.error, ValueError, TypeError):
            return
        if number in self.given:
            events.append(FilesFailed(number, errors))

    def _fill(self) -> bool:
        while True:
            try:
                data = self._socket.recv(READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._buffer += data

    def _send(self, kind: int, body: bytes) -> None:
        """Never blocks: all frames to a worker together are far smaller than a socket's buffer."""
        try:
            self._socket.sendall(FRAME.pack(len(body), kind) + body)
        except OSError:
            return  # it has ended; its node will say so

    def _last_words(self, begin: int) -> str:
        try:
            with open(self._stderr, "rb", opener=opener_without_links) as file:
                file.seek(max(begin, os.fstat(file.fileno()).st_size - 4096))
                return file.read(4096).decode("utf-8", "replace").strip()
        except OSError:
            return ""


def _ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with exit code {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else "unknown"
    hint = "; out of memory is the usual cause" if -status == signal.SIGKILL else ""
    return f"was killed by signal {-status} ({name}{hint})"
