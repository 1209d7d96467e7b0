"""What a command says while it works: on stderr, so that stdout stays the result alone."""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import TextIO


@dataclasses.dataclass
class Report:
    """Notes, and lines that grow by a dot per look at the server. quiet: errors only."""

    stream: TextIO = dataclasses.field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    _open: bool = dataclasses.field(default=False, init=False)
    _phase: str = dataclasses.field(default="", init=False)
    _phase_began: float = dataclasses.field(default=0.0, init=False)
    _next_tick: float = dataclasses.field(default=0.0, init=False)

    def note(self, text: str) -> None:
        """One whole line."""
        self.end()
        if not self.quiet:
            print(text, file=self.stream, flush=True)

    def begin(self, text: str) -> None:
        """Start a line that dots follow."""
        self.end()
        self._write(f"{text} ")

    def dot(self) -> None:
        """One more look at something that is not done yet."""
        self._write(".")

    def phase(self, name: str) -> None:
        """One more look; says what is going on when that has changed, and how long it took."""
        if name and name != self._phase:
            self._write(f"{self._took()} {name} ")
            self._phase, self._phase_began = name, time.monotonic()
        self.dot()

    def tick(self) -> None:
        """A dot for each second of waiting; may be called often."""
        now = time.monotonic()
        if now >= self._next_tick:
            if self._open:
                self.dot()
            self._next_tick = now + 1.0

    def end(self, text: str = "") -> None:
        """Finish the line begun, if any."""
        if self._open:
            self._write(f"{self._took()} {text}\n")
            self._open, self._phase = False, ""

    def _took(self) -> str:
        """The seconds of the phase that ends."""
        return f" {time.monotonic() - self._phase_began:.1f} s," if self._phase else ""

    def _write(self, text: str) -> None:
        if not self.quiet:
            print(text, end="", file=self.stream, flush=True)
            self._open = True
