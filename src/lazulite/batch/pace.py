"""How fast a job is: items per second of late, for a person who waits."""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0
"""What was longer ago says little of how fast it is now."""
LEAST_S = 1.0
"""Over less than this there is only chance."""


class Pace:
    """Looks at how many items are decided, now and then."""

    def __init__(self) -> None:
        self._seen = deque[tuple[float, int]]()

    def look(self, now: float, items: int) -> None:
        """So many items were decided at that time. now: seconds, by any clock that goes on."""
        self._seen.append((now, items))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_S:
            self._seen.popleft()

    @property
    def items_per_s(self) -> float | None:
        """Items per second of the last minute; None as long as nobody can tell."""
        if not self._seen:
            return None
        (began, before), (now, items) = self._seen[0], self._seen[-1]
        return (items - before) / (now - began) if now - began >= LEAST_S else None

    def remaining_s(self, left: int) -> float | None:
        """Seconds for so many items more; None as long as nobody can tell."""
        rate = self.items_per_s
        return left / rate if rate else None
