"""How many bytes have gone, for what takes more than a second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from lazulite.cli.report import Report

_WIDTH = 30  # characters
_PATIENCE_S, _REFRESH_S, _LINE_S = 1.0, 0.2, 10.0


class Progress:
    """Counts bytes from any thread: a bar on a terminal, else a line now and then.

    Leave it to end; what took a second is then told in a whole line.
    """

    def __init__(self, what: str, total: int, report: Report) -> None:
        """total: bytes; 0 if it is not known."""
        self._what, self._total, self._report = what, total, report
        self._clock: Callable[[], float] = report.clock
        self._stream: TextIO = report.stream
        self._begun, self._done = self._clock(), 0
        self._due = self._begun + _PATIENCE_S
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        took = self._clock() - self._begun
        self._report.line.erase()
        if not self._report.quiet and took >= _PATIENCE_S:
            state = "stopped at" if error else "done,"
            print(f"{self._what}: {state} {self._state(took)}", file=self._stream, flush=True)

    def add(self, size: int) -> None:
        """So many more bytes are done."""
        with self._lock:
            self._done += size
            now = self._clock()
            if not self._report.quiet and now >= self._due:
                self._due = now + (_REFRESH_S if self._report.is_live else _LINE_S)
                self._draw(now - self._begun)

    def _draw(self, took: float) -> None:
        if not self._report.is_live:
            print(f"{self._what}: {self._state(took)}", file=self._stream, flush=True)
            return
        share = min(self._done / self._total, 1.0) if self._total else 0.0
        bar = "#" * int(share * _WIDTH)
        drawn = f"{self._what} [{bar:<{_WIDTH}}] {share:4.0%} {self._state(took)}"
        self._report.line.draw(drawn)

    def _state(self, took: float) -> str:
        of = f" of {self._total / 1e6:.0f}" if self._total else ""
        rate = self._done / max(took, 0.001) / 1e6
        return f"{self._done / 1e6:.0f}{of} MB, {rate:.0f} MB/s, {took:.0f} s"
