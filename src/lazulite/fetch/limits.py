"""How much and how long a fetch may take."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one request, unless a field says otherwise."""

    size: int = 64 << 30
    """Bytes of a body."""
    seconds: float = 6 * 3600.0
    """Until the last byte."""
    window_s: float = 30.0
    """In each such span, `least` bytes must arrive; so must the first header."""
    least: int = 1024
    """Bytes."""
    connect_s: float = 10.0
    """Until an address has answered."""
    redirects: int = 3
