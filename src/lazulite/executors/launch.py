"""How a process of user code is started: what it runs, and what of this machine it gets to see.

Keepers and nodes make a Launch of each process and execute what `inside()` makes of it. They know
nothing of sandboxes: these are values in their files, and wrappers that turn one command into
another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

PLAIN = "none"
"""The kind of a sandbox that is none: the process sees what its user sees."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mount:
    """A file or folder of this machine that a process uses."""

    path: str
    """Absolute. Links in it are followed here, not in the sandbox."""
    at: str | None = None
    """Where the process finds it; None: at the same path."""
    writable: bool = False
    without_links: bool = False
    """Checked to lead through no link, where others may make some: if it does so now, it is refused
    with OSError."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sandbox:
    """What processes of user code run in. Says nothing about the single process."""

    kind: str = PLAIN
    """A key of WRAPPERS."""
    mounts: tuple[Mount, ...] = ()
    """What they may see besides what every process needs. Of two for one place, the last holds."""
    network: bool = True
    """Whether they may reach the network, this machine's own services included."""
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What the kind needs besides; its wrapper says what."""

    def showing(
        self, *paths: str | None, writable: bool = False, without_links: bool = False
    ) -> Sandbox:
        """The sandbox with these paths in it, too; None is left out. The rest: see Mount."""
        mounts = tuple(
            Mount(path=path, writable=writable, without_links=without_links)
            for path in paths
            if path is not None
        )
        return dataclasses.replace(self, mounts=(*self.mounts, *mounts))

    def under(self, base: Sandbox) -> Sandbox:
        """The sandbox with what holds for all of a server's; of that kind unless it has its own."""
        own = self if self.kind != PLAIN else base
        return Sandbox(
            kind=own.kind,
            mounts=(*base.mounts, *self.mounts),
            network=base.network and self.network,
            details={**base.details, **own.details},
        )

    def to_json(self) -> dict[str, Any]:
        """As specs and requests carry it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Sandbox:
        """What to_json wrote; of nothing, no sandbox. Raises TypeError for what is no sandbox."""
        fields = dict(value or {})
        mounts = tuple(Mount(**mount) for mount in fields.pop("mounts", ()))
        return cls(**fields, mounts=mounts)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Launch:
    """One process: what is executed, as Popen takes it."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    descriptors: tuple[int, ...] = ()
    """What it inherits, under the same numbers, besides the standard streams."""


Wrapper = Callable[[Launch, Sandbox], Launch]
"""Turns a launch into the one of a program that brings it about inside the sandbox.

It may open descriptors for that program, which it adds to the launch's: `wrappers.inside` closes
them.

The program ends when the process does, and if it is killed, nothing of the process stays. Whom to
signal, and how the process ended, `wrappers.process_of` and `wrappers.ending` tell.
"""
