"""Which Python a definition asks for: conda's clauses on `python`, decided by minor version.

An interpreter of the asked minor version is good enough whatever its patch version is: wheels are
built per minor version, and the old patch versions that published examples pin are long gone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

Version = tuple[int, int, int]
Clause = tuple[str, tuple[int, ...]]


@dataclasses.dataclass(frozen=True)
class PythonRange:
    """The versions that clauses such as ("==", (3, 7)) or (">=", (3, 8)) allow; all must hold."""

    clauses: tuple[Clause, ...]
    text: str
    """As the user wrote it, for messages."""
    place: str
    """Where the user wrote it, for messages."""

    def allows(self, version: Version) -> bool:
        """Whether the minor version is allowed; patch versions that are asked for may differ."""
        return all(_TESTS[operator](version, _minor(operator, of)) for operator, of in self.clauses)

    def is_met_exactly(self, version: Version) -> bool:
        """Whether the patch version is one that was asked for, too."""
        return all(_TESTS[operator](version, of) for operator, of in self.clauses)


def _minor(operator: str, of: tuple[int, ...]) -> tuple[int, ...]:
    if operator in {"==", ">=", "~="}:
        return of[:2] if operator != "~=" or len(of) < 3 else (*of[:2], 0)
    return of


_TESTS: Mapping[str, Callable[[Version, tuple[int, ...]], bool]] = {
    "==": lambda version, of: version[: len(of)] == of,
    "!=": lambda version, of: version[: len(of)] != of,
    ">=": lambda version, of: version >= of,
    # "<=3.10" means every 3.10, although 3.10.13 is the higher number.
    "<=": lambda version, of: version[: len(of)] <= of,
    ">": lambda version, of: version > (*of, 0, 0)[:3],
    "<": lambda version, of: version < of,
    "~=": lambda version, of: version >= of and version[: len(of) - 1] == of[:-1],
}
