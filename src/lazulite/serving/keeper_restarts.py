"""When keepers that died are started again: at once, and then ever later."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from lazulite.serving.replica import CRASH_LOOP, HEALTHY_S, restart_delay


@dataclasses.dataclass
class Life:
    """What is known of the keepers of one set, since this process began."""

    restarts: int = 0
    failures: int = 0
    """Deaths in a row, none after a healthy while."""
    started: float = 0.0
    due: float = 0.0
    is_up: bool = False
    last_words: str = ""
    """The end of its log when it died last."""

    @property
    def is_looping(self) -> bool:
        """Whether it dies again and again."""
        return self.failures >= CRASH_LOOP

    @property
    def error(self) -> dict[str, str]:
        """The same as an error for people."""
        said = f" Its last lines:\n{self.last_words}" if self.last_words else ""
        return {
            "code": "KeeperCrashLoop",
            "message": f"The process that keeps the replicas ended {self.failures} times in a row; "
            f"it is started again at most every {restart_delay(self.failures):g} s. Look for what "
            f"ends it, such as a lack of memory.{said}",
        }


class KeeperRestarts:
    """Counts deaths by the name of the set."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        self._clock = clock
        self._lives: dict[str, Life] = {}

    def of(self, name: str) -> Life:
        """What is known of a set."""
        return self._lives.setdefault(name, Life())

    def forget(self, name: str) -> None:
        """The set is gone. Safe to repeat."""
        self._lives.pop(name, None)

    def seen(self, name: str) -> None:
        """One runs, which this process may not have started."""
        life = self.of(name)
        if not life.is_up:
            life.is_up, life.started = True, life.started or self._clock()

    def is_time(self, name: str, last_words: str) -> bool:
        """Whether to start one now, as none runs; true once for each start."""
        life, now = self.of(name), self._clock()
        if life.is_up:
            was_healthy = now - life.started > HEALTHY_S
            life.failures = 0 if was_healthy else life.failures + 1
            life.due, life.last_words = now + restart_delay(max(0, life.failures - 1)), last_words
            life.is_up = False
        if now < life.due:
            return False
        life.restarts += 1 if life.started else 0
        life.is_up, life.started = True, now
        return True
