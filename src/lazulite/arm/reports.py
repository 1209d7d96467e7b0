"""Documents below a provider that are no resources, such as the usages of a location."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence

from lazulite.core.ids import ML, Address
from lazulite.store.resources import Json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asking:
    """One request for a report."""

    subscription: str
    """The id of the subscription that it is asked below."""
    names: tuple[str, ...]
    """What stands at the open places of the path."""
    body: Json
    version: str


Perform = Callable[[Asking], Awaitable[Json]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """One document. Its address is a path below a subscription and the provider."""

    path: tuple[str, ...]
    """In Azure's spelling; "*" is an open place: ("locations", "*", "usages")."""
    permission: str
    """The RBAC action, without the provider."""
    perform: Perform
    method: str = "GET"
    provider: str = ML
    until: str = "9999-99-99"
    """The day of the last api-version that has it."""

    @property
    def action(self) -> str:
        """The RBAC action in full."""
        return f"{self.provider}/{self.permission}"

    @property
    def template(self) -> str:
        """The path with a name for each open place."""
        places = iter(("{location}", "{name}"))
        return "/".join(next(places) if part == "*" else part for part in self.path)

    def names(self, address: Address) -> tuple[str, ...] | None:
        """What stands at the open places; None if the address is not this report's."""
        segments = _below_provider(address)
        if address.provider.lower() != self.provider.lower() or len(segments) != len(self.path):
            return None
        if address.scope.lower().count("/") != 2:
            return None
        pairs = list(zip(self.path, segments, strict=True))
        if any(known not in {"*", said.lower()} for known, said in _folded(pairs)):
            return None
        return tuple(said for known, said in pairs if known == "*")


def _below_provider(address: Address) -> list[str]:
    names = [*address.names, *([None] * (len(address.types) - len(address.names)))]
    pairs = zip(address.types, names, strict=True)
    return [part for pair in pairs for part in pair if part is not None]


def _folded(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(known.lower(), said) for known, said in pairs]
