"""What a command says while it works: on stderr, so that stdout stays the result alone.

On a terminal one line is kept up to date; elsewhere there is a whole line for what takes a
second, and then one now and then.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from lazulite.cli.redrawn_line import RedrawnLine

PATIENCE_S = 1.0
"""What takes less is told once, when it is done, where nobody watches."""
_REFRESH_S = 0.5
INTERVAL_S = 30.0
"""Between lines about one phase where nobody watches."""


@dataclasses.dataclass
class Report:
    """Notes, and the state of what is waited for. quiet: errors only. clock: seconds."""

    stream: TextIO = dataclasses.field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    clock: Callable[[], float] = time.monotonic
    _what: str = dataclasses.field(default="", init=False)
    _phase: str = dataclasses.field(default="", init=False)
    _detail: str = dataclasses.field(default="", init=False)
    _past: list[str] = dataclasses.field(default_factory=list, init=False)
    _began: float = dataclasses.field(default=0.0, init=False)
    _phase_began: float = dataclasses.field(default=0.0, init=False)
    _due: float = dataclasses.field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.line = RedrawnLine(self.stream)
        """What is kept up to date, by this report or by whoever works for it; see is_live."""

    def note(self, text: str) -> None:
        """One whole line; the line begun, if any, goes on below it."""
        self.line.erase()
        self._say(text)
        self._draw()

    def begin(self, what: str) -> None:
        """Start something that is waited for."""
        self.end()
        self._what, self._began, self._past = what, self.clock(), []
        self._enter("")
        self._draw()

    def phase(self, name: str, detail: str = "") -> None:
        """One more look: what is going on, such as the last line of its log; may be repeated."""
        if name and name != self._phase:
            self._leave()
            self._enter(name)
        self._detail = detail
        self.tick()

    def tick(self) -> None:
        """Time passes; may be called often."""
        now = self.clock()
        self._draw()
        if self._what and not self.is_live and now >= self._due:
            self._due = now + INTERVAL_S
            self._say(f"{self._what}: {self._now()}")

    def end(self, how: str = "stopped") -> None:
        """Finish what was begun, if anything: how it went, and the time that it took."""
        if not self._what:
            return
        self._leave()
        self.line.erase()
        told = ", ".join([*self._past, f"{how} in {self.clock() - self._began:.1f} s"])
        self._say(f"{self._what}: {told}")
        self._what = ""

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """For one step that looks at nothing meanwhile: told if it takes more than a second."""
        began, done = self.clock(), threading.Event()
        watcher = threading.Thread(target=self._watch, args=(what, began, done), daemon=True)
        watcher.start()
        how = "stopped"
        try:
            yield
            how = "done"
        finally:
            done.set()
            watcher.join()
            self.end(how)

    def _watch(self, what: str, began: float, done: threading.Event) -> None:
        if done.wait(PATIENCE_S):
            return
        self.begin(what)
        self._began = self._phase_began = began
        self._due = began
        self.tick()
        while not done.wait(_REFRESH_S):
            self.tick()

    @property
    def reached(self) -> str:
        """The phase that goes on."""
        return self._phase

    @property
    def is_live(self) -> bool:
        """Whether somebody watches a terminal, on which a line can be redrawn."""
        return not self.quiet and self.stream.isatty()

    def _enter(self, phase: str) -> None:
        self._phase, self._detail, self._phase_began = phase, "", self.clock()
        self._due = self._phase_began + PATIENCE_S

    def _leave(self) -> None:
        if self._phase:
            self._past.append(f"{self._phase} {self.clock() - self._phase_began:.1f} s")
        self._phase = ""

    def _now(self) -> str:
        """The phase, how long it has been going on, and its detail."""
        for_s = f"{self.clock() - self._phase_began:.0f} s"
        return " | ".join(filter(None, (f"{self._phase} {for_s}".lstrip(), self._detail)))

    def _say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=self.stream, flush=True)

    def _draw(self) -> None:
        if self._what and self.is_live:
            self.line.draw(f"{self._what}: {', '.join([*self._past, self._now()])}")
