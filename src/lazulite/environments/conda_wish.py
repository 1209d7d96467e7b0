"""What a plan for conda has besides packages of PyPI: specs, and the channels to look in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.core.errors import SpecError
from lazulite.environments.definition import Definition

NO_DEFAULTS, DEFAULTS = "nodefaults", "defaults"
FIRST = "conda-forge"
"""The channel of definitions that name none, unless the server says otherwise."""


@dataclasses.dataclass(frozen=True)
class CondaWish:
    """Two equal ones make the same packages of conda, as far as the channels stay the same."""

    channels: tuple[str, ...]
    """URLs, or names of public ones, which rattler knows; the first one first."""
    specs: tuple[tuple[str, str], ...]
    """Each with its place in the definition, for messages."""

    def identity(self) -> dict[str, Any]:
        """What makes two environments differ."""
        return {"channels": list(self.channels), "conda": sorted(text for text, _ in self.specs)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CondaWish:
        """What dataclasses.asdict made, after JSON."""
        specs = tuple((text, place) for text, place in value["specs"])
        return cls(tuple(value["channels"]), specs)


@dataclasses.dataclass(frozen=True)
class Channels:
    """The channels that this server looks in, and where they are."""

    places: Mapping[str, str]
    """URLs, or names of public ones, by what definitions call them.

    The first is the one for definitions that name none.
    """

    @classmethod
    def of(cls, items: tuple[str, ...]) -> Channels:
        """From the setting: names, URLs, and name=URL for a mirror."""
        places = {}
        for item in items:
            name, _, url = item.partition("=")
            places[name] = url or name
        return cls(places or {FIRST: FIRST})

    def wish(self, definition: Definition) -> CondaWish:
        """The definition's conda packages. Raises SpecError for a channel that may not be used."""
        named = [channel for channel in definition.channels if channel != NO_DEFAULTS]
        first = next(iter(self.places))
        urls = [self._url(first if name == DEFAULTS else name) for name in named or [first]]
        specs = tuple((written.text, written.place) for written in definition.conda)
        return CondaWish(tuple(dict.fromkeys(urls)), specs)

    def _url(self, channel: str) -> str:
        if channel in self.places:
            return self.places[channel]
        if "/" not in channel and ":" not in channel:
            return channel
        raise SpecError(
            "ChannelNotAllowed",
            f"the channel {channel!r} is not one that this server uses: name a public one, or have "
            "the URL added to the server's conda_channels.",
            target="condaFile",
        )
