"""How many instances a load asks for: up at once when requests wait, down after a quiet while.

Utilisation is requests in flight per request that the instances take at a time: exact, and known
before anybody has waited for long. Source: spec/ONLINE.md 6, spec/REST.md (TargetUtilization).
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque

from lazulite.serving.proxy_stats import Load

MEAN_POLLS = 5
QUIET_POLLS = 30
QUIET_S = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """What scale_settings say."""

    least: int
    most: int
    percent: int
    """Of the requests that instances take at a time."""
    per_instance: int
    """Requests that one instance takes at a time."""
    poll_s: float

    @property
    def quiet_s(self) -> float:
        """How long less must have been enough before there is less."""
        return max(QUIET_S, QUIET_POLLS * self.poll_s)

    def instances(self, in_flight: float) -> int:
        """How many it takes for so many requests."""
        return math.ceil(in_flight * 100 / (self.per_instance * self.percent))

    def bounded(self, instances: int) -> int:
        """The nearest number that is allowed."""
        return max(self.least, min(self.most, instances))


class Demand:
    """What one deployment was asked for lately."""

    def __init__(self, began: float) -> None:
        """began: when it was first looked at; what was before is not known."""
        self._began = began
        self._seen: deque[int] = deque(maxlen=MEAN_POLLS)
        self._wanted: deque[tuple[float, int]] = deque()
        self._looked_at = -math.inf

    def instances(self, load: Load | None, now: float, target: Target, current: int) -> int:
        """How many there are to be. load: None changes nothing.

        Looks once a polling interval: what is asked in between is answered as it was.
        """
        if load is not None and now - self._looked_at >= 0.9 * target.poll_s:
            self._looked_at = now
            self._seen.append(load.in_flight)
            self.want(now, self._asked(load, target))
        while self._wanted and now - self._wanted[0][0] > target.quiet_s:
            self._wanted.popleft()
        lately = [count for _, count in self._wanted]
        if lately and lately[-1] > current:
            return target.bounded(lately[-1])
        if lately and now - self._began >= target.quiet_s:
            return target.bounded(min(current, max(lately)))
        return target.bounded(current)

    def want(self, now: float, count: int) -> None:
        """Note that so many are wanted."""
        self._wanted.append((now, count))

    def _asked(self, load: Load, target: Target) -> int:
        mean = target.instances(sum(self._seen) / len(self._seen))
        return max(mean, target.instances(load.in_flight)) if load.queued else mean
