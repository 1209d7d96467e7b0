"""Looks that outlast a control plane which is killed or starts again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lazulite.cli.errors import CommandError

LONGEST_S = 60.0
"""How long is waited for a server that was there a moment ago."""
PAUSE_S = 1.0
_STATUSES = frozenset({502, 503})
"""What the front door answers for a control plane that is gone, in the midst of it or before."""
_T = TypeVar("_T")


def outlasting(look: Callable[[], _T], sleep: Callable[[float], None]) -> _T:
    """What `look` finds; tried again while the server is away. look: must be safe to repeat.

    Raises its CommandError if that is of another kind, or the server stays away.
    """
    waited = 0.0
    while True:
        try:
            return look()
        except CommandError as error:
            is_away = error.status in _STATUSES or error.code == "ServerNotReachable"
            if not is_away or waited >= LONGEST_S:
                raise
        sleep(PAUSE_S)
        waited += PAUSE_S
