"""Asks a container's route whether it is well, as Kubernetes would."""

from __future__ import annotations

import http.client
from collections.abc import Mapping

from lazulite.serving.own_server import Probe, Route

EAGER_S = 0.25
"""Between questions while a container starts: nobody should wait a whole period for it."""


class Prober:
    """One route, asked again and again. ports: where the container's are found on this machine."""

    def __init__(self, route: Route, probe: Probe, ports: Mapping[int, int], due: float) -> None:
        """due: when to ask first (time.monotonic)."""
        self._route, self._probe, self._port = route, probe, ports[route.port]
        self.due = due
        self.well, self.ill = 0, 0
        """Good and bad answers in a row."""

    @property
    def is_ready(self) -> bool:
        """Whether it has answered well often enough."""
        return self.well >= self._probe.successes

    @property
    def has_failed(self) -> bool:
        """Whether it has answered badly too often."""
        return self.ill >= self._probe.failures

    def ask(self, now: float) -> None:
        """Ask once; blocks for the probe's timeout at most."""
        if self._is_well():
            self.well, self.ill = self.well + 1, 0
        else:
            self.well, self.ill = 0, self.ill + 1
        eager = not self.is_ready and self._probe.period_s > EAGER_S
        self.due = now + (EAGER_S if eager else self._probe.period_s)

    @property
    def what(self) -> str:
        """The route, for messages."""
        return f"{self._route.path} at port {self._route.port}"

    def _is_well(self) -> bool:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=self._probe.timeout_s
        )
        try:
            connection.request("GET", self._route.path or "/")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return 200 <= status < 400 or not self._route.path
