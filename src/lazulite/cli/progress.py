"""A bar on a terminal for what takes more than a second."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_WIDTH = 30  # characters
_PATIENCE_S, _REFRESH_S = 1.0, 0.2


class Progress:
    """Counts bytes from any thread; draws only if the stream is a terminal. Leave it to end."""

    def __init__(
        self,
        what: str,
        total: int,
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """total: bytes; 0 if it is not known."""
        self._what, self._total, self._clock = what, total, clock
        self._stream = stream or sys.stderr
        self._shown = not quiet and self._stream.isatty()
        self._begun, self._drawn, self._done = clock(), 0.0, 0
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn:
            self._draw()
            print(file=self._stream, flush=True)

    def add(self, size: int) -> None:
        """So many more bytes are done."""
        with self._lock:
            self._done += size
            now = self._clock()
            due = max(self._begun + _PATIENCE_S, self._drawn + _REFRESH_S)
            if self._shown and now >= due:
                self._drawn = now
                self._draw()

    def _draw(self) -> None:
        share = self._done / self._total if self._total else 0.0
        bar = "#" * int(share * _WIDTH)
        rate = self._done / max(self._clock() - self._begun, 0.001) / 1e6
        done = f"{self._done / 1e6:.0f} MB {rate:.0f} MB/s"
        text = f"\r{self._what} [{bar:<{_WIDTH}}] {share:4.0%} {done} "
        print(text, end="", file=self._stream, flush=True)
