"""Work that the server repeats while it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable


@dataclasses.dataclass(frozen=True)
class Chore:
    """One kind of work, begun when the server is up and then whenever the time has passed."""

    every_s: float
    work: Callable[[], Awaitable[object]]
    complaint: str
    """Logged when it fails; it is tried again at its next time."""
    after_s: float = 0.0
    """How long it waits before the first time."""
