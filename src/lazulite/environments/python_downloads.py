"""Pythons that are not on this machine, downloaded by uv where it can reach its source."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path

from lazulite.core.errors import SpecError
from lazulite.environments.interpreters import PythonMissingError
from lazulite.environments.places import Places, task_name
from lazulite.executors.protocol import Executor, Phase, Task
from lazulite.store.files import read_json


@dataclasses.dataclass(frozen=True)
class PythonDownloads:
    """Asks for downloads, and says how far they are. Each minor version is downloaded once."""

    root: Path
    """The folder of the environments: a download has its log and its failure there, by a hash."""
    folder: Path
    """Where the Pythons go: one folder each, in which Interpreters look for them."""
    executor: Executor

    async def ensure(self, missing: PythonMissingError) -> tuple[str, SpecError | None]:
        """The hash that log and retry() know the download by, and why it has failed if it has.

        Without a failure it is under way. Returns at once, and may be called by many and after a
        crash. Raises the error itself if uv has no such Python.
        """
        hash_, failure = self.look(missing)
        if failure is not None:
            return hash_, failure
        if await self.executor.observe(task_name(hash_)) not in {Phase.PENDING, Phase.RUNNING}:
            await self.executor.forget(task_name(hash_))
            await self._start(hash_, missing.version or "")
        return hash_, None

    def look(self, missing: PythonMissingError) -> tuple[str, SpecError | None]:
        """The same without starting anything."""
        if missing.version is None:
            raise missing
        hash_ = hashlib.sha256(f"python {missing.version}".encode()).hexdigest()[:32]
        failure = read_json(Places(self.root, hash_).failed)
        if failure is None:
            return hash_, None
        reason = f"uv cannot download it ({failure['reason']})"
        return hash_, SpecError(missing.code, f"{missing.message} {reason}.", target=missing.target)

    async def _start(self, hash_: str, version: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        spec = {"hash": hash_, "version": version}
        places = {"root": str(self.root), "folder": str(self.folder)}
        command = (sys.executable, "-m", "lazulite.environments.python_download", "spec.json")
        files = {"spec.json": json.dumps({**spec, **places})}
        await self.executor.ensure(Task(name=task_name(hash_), command=command, files=files))
