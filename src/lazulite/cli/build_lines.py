"""The last line of the log of an environment that something waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli.advice import ENVIRONMENT
from lazulite.cli.errors import CommandError
from lazulite.cli.workspace import Workspace


class BuildLines:
    """Follows the log of the environment that a deployment names."""

    def __init__(self, workspace: Workspace, deployment: Mapping[str, Any]) -> None:
        """deployment: its body."""
        self._workspace = workspace
        named = str((deployment.get("properties") or {}).get("environmentId") or "")
        self._path = named.partition("/environments/")[2]
        self._offset, self._line = 0, ""

    def last(self, phase: str) -> str:
        """The last line so far; nothing outside the phase, and where nobody reads it."""
        if phase != ENVIRONMENT or not self._path or self._workspace.report.quiet:
            return ""
        try:
            self._read()
        except CommandError:  # it is of interest, not of need
            return ""
        return self._line

    def _read(self) -> None:
        path, query = f"environments/{self._path}/buildLog", {"offset": str(self._offset)}
        found = self._workspace.arm("GET", path, query=query).value()
        lines = [line for line in str(found["content"]).splitlines() if line.strip()]
        self._offset = found["nextOffset"]
        self._line = lines[-1].strip() if lines else self._line
