"""A line on a terminal that is kept up to date."""

from __future__ import annotations

import shutil
from typing import TextIO


class RedrawnLine:
    """At most one stands on a stream; other lines are written while none is drawn."""

    def __init__(self, stream: TextIO) -> None:
        """stream: a terminal; nothing is written to it before draw()."""
        self._stream, self._drawn = stream, 0

    def draw(self, text: str) -> None:
        """Write the text over what stands there, cut to the width: one that wraps stays."""
        text = text[: shutil.get_terminal_size().columns - 1]
        print(f"\r{text.ljust(self._drawn)}", end="", file=self._stream, flush=True)
        self._drawn = len(text)

    def erase(self) -> None:
        """Make room for other lines. Safe to repeat."""
        if self._drawn:
            print("\r" + " " * self._drawn + "\r", end="", file=self._stream, flush=True)
            self._drawn = 0

    def leave(self) -> None:
        """Let it stand, and go on below it. Safe to repeat."""
        if self._drawn:
            print(file=self._stream, flush=True)
            self._drawn = 0
