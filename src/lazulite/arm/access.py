"""What the ARM floor asks of identity: one question before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lazulite.identity.tokens import Audience


class Principal(Protocol):
    """Who is calling."""

    @property
    def object_id(self) -> str:
        """The directory object behind the caller."""


class Guard(Protocol):
    """Answers whether the bearer of these headers may do that there."""

    async def require(
        self, headers: Mapping[str, str], action: str, scope: str, audience: Audience
    ) -> Principal:
        """The caller. Raises ArmError 401 or 403."""
