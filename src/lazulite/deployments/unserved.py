"""Settings that Azure has and this server does not serve: refused by name, never ignored.

One that would change nothing here is kept and shown instead. What is refused would make callers
believe in something that is not so: a closed network, a mirror, a cluster.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from lazulite.core.errors import ArmError
from lazulite.store.resources import Json


@dataclasses.dataclass(frozen=True)
class Unserved:
    """One setting. name: its path, with dots; values: those refused, any set one if empty."""

    name: str
    code: str
    remedy: str
    values: tuple[str, ...] = ()

    def is_asked(self, value: Any) -> bool:
        """Whether a value wants what is not served; {"blue": 0} and False want nothing."""
        if self.values:
            return value in self.values
        return any(value.values()) if isinstance(value, dict) else bool(value)


def refuse_unserved(properties: Json, table: Iterable[Unserved]) -> None:
    """Raise ArmError 400 for the first setting of the table that is asked for."""
    for row in table:
        value: Any = properties
        for part in row.name.split("."):
            value = (value or {}).get(part)
        if row.is_asked(value):
            said = f"{row.name} {value}" if isinstance(value, str) else row.name
            message = f"{said} is not served here: {row.remedy}."
            raise ArmError(row.code, message, target=row.name)
