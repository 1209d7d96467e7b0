"""job.json: what the control plane asks of the supervisor of a command job."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.core.errors import SpecError
from lazulite.store.files import read_json

LOG = "user_logs/std_log.txt"
"""Where stdout and stderr of a run go, among its artifacts. Source: spec/CLIENTS.md 10.3."""
KEPT = ("outputs", "logs")
"""The folders beside the script whose files become artifacts of the run."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommandSpec:
    """One command, with all paths and variables known."""

    name: str
    argv: tuple[str, ...]
    code_dir: str | None
    """Copied for the run, which starts in the copy; None: it starts in an empty folder."""
    env: Mapping[str, str]
    """All that the command gets, besides home, language and the like of the node."""
    sandbox: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the command runs in: a Sandbox as JSON."""
    artifacts: str
    """The folder of the run's artifacts."""
    log_names: tuple[str, ...] = (LOG,)
    """One log under all these names, relative to the artifacts."""
    folders: tuple[str, ...] = ()
    """Folders that must be there before the command starts: those of its outputs."""
    timeout_s: float | None = None
    """From the first start of the command, after which it is canceled."""

    @classmethod
    def load(cls, path: Path) -> CommandSpec:
        """Read job.json; unknown fields are left alone. Raises SpecError."""
        try:
            found: dict[str, Any] = read_json(path)
            known = {field.name for field in dataclasses.fields(cls)}
            given = {key: value for key, value in found.items() if key in known}
            lists = {key: tuple(item) for key, item in given.items() if isinstance(item, list)}
            return cls(**{**given, **lists})
        except (ValueError, TypeError, AttributeError) as error:
            raise SpecError("InvalidJob", f"{path} is no command job: {error}") from error

    @property
    def log(self) -> Path:
        """The file that the command writes to."""
        return Path(self.artifacts, self.log_names[0])
