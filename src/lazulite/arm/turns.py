"""How many requests of one caller are answered at a time: one cannot starve the others."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator

from lazulite.core.errors import ArmError


class Turns:
    """Counts the requests of each caller that are being answered now."""

    def __init__(self, most: int) -> None:
        """most: of one caller; 0 for any number."""
        self._most = most
        self._taken: collections.Counter[str] = collections.Counter()

    @contextlib.contextmanager
    def one_of(self, caller: str) -> Iterator[None]:
        """Hold a turn. Raises ArmError 429 if the caller has all of theirs."""
        if self._most and self._taken[caller] >= self._most:
            message = (
                f"{self._most} requests of this client are being answered; that is the most at a "
                "time. Repeat after a second, or raise LAZULITE_REQUESTS_PER_CALLER."
            )
            raise ArmError("TooManyRequests", message, 429, headers={"Retry-After": "1"})
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
