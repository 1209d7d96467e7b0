"""What is known of a container that brings its own server: its routes, probes, image and files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from lazulite.executors.launch import Sandbox

VARIABLE = "LAZULITE_OWN_SERVER"
"""Tells serving.own_container what to run."""
MODULE = "lazulite.serving.own_container"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route:
    """Where the container answers."""

    path: str
    """Empty: any answer at all will do."""
    port: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Probe:
    """How often a route is asked, in seconds and counts. Source: spec/REST.md, ProbeSettings."""

    delay_s: float = 10.0
    period_s: float = 10.0
    timeout_s: float = 2.0
    failures: int = 30
    successes: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnServer:
    """One replica that is a container."""

    sandbox: Sandbox
    """Its image, and what it sees of this machine."""
    scoring: Route
    readiness: Route | None = None
    liveness: Route | None = None
    readiness_probe: Probe
    liveness_probe: Probe
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Over the image's own."""

    @property
    def ports(self) -> frozenset[int]:
        """Those that it has to be reached at."""
        routes = (self.scoring, self.readiness, self.liveness)
        return frozenset(route.port for route in routes if route is not None)

    def to_text(self) -> str:
        """As the variable carries it."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_text(cls, text: str) -> OwnServer:
        """What to_text wrote."""
        fields: dict[str, Any] = json.loads(text)
        routes = {
            name: Route(**fields[name]) if fields[name] else None
            for name in ("scoring", "readiness", "liveness")
        }
        probes = {name: Probe(**fields[name]) for name in ("readiness_probe", "liveness_probe")}
        sandbox = Sandbox.from_json(fields["sandbox"])
        return cls(**{**fields, **routes, **probes, "sandbox": sandbox})
