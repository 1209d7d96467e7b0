"""Who uses environments: by the texts of rows, jobs and tasks that a hash stands in."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from lazulite.core.ids import ML
from lazulite.executors.local import LocalExecutor
from lazulite.executors.protocol import Phase
from lazulite.store.resources import Resource, Resources

DEPLOYMENTS = ("onlineEndpoints/deployments", "batchEndpoints/deployments")


@dataclasses.dataclass(frozen=True)
class EnvironmentUsers:
    """Looks through everything that may run in an environment, or is about to."""

    resources: Resources
    executor: LocalExecutor
    jobs: Path
    """Where each job has its folder, by its uid."""
    local: Path
    """Where endpoints without a server, of `--local`, have a file each."""

    async def __call__(self) -> list[tuple[str, str]]:
        """Deployments, jobs that have not ended, running tasks and local endpoints, by id or name.

        Each with a text in which the hash of every environment stands that it uses.
        """
        deployments = [row for kind in DEPLOYMENTS for row in await self._rows(kind)]
        jobs = [row for row in await self._rows("jobs") if "endTime" not in row.observed]
        specs = [(job, self.jobs / job.uid / "job.json") for job in jobs]
        tasks = [name for name in self.executor.names() if await self._runs(name)]
        return [
            *((f"local endpoint {path.stem}", _text(path)) for path in self.local.glob("*.json")),
            *((row.id, json.dumps(row.observed)) for row in deployments),
            *((job.id, json.dumps(job.observed) + _text(spec)) for job, spec in specs),
            *((f"task {name}", _texts(self.executor.folder(name))) for name in tasks),
        ]

    async def _runs(self, task: str) -> bool:
        return await self.executor.observe(task) is Phase.RUNNING

    async def _rows(self, kind: str) -> list[Resource]:
        return await self.resources.of_type(f"{ML}/workspaces/{kind}")


def _texts(folder: Path) -> str:
    """What a task was started with."""
    return "".join(_text(path) for path in folder.glob("*.json"))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
