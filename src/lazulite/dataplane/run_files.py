"""The files of runs: found where runs keep them, and named by URLs that open without a token."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from lazulite.arm.references import find_one
from lazulite.blobs.signatures import Grant, sign_blob
from lazulite.core.errors import ArmError
from lazulite.core.ids import workspace_of
from lazulite.deployments.job_outputs import ARTIFACTS
from lazulite.deployments.materials import Locate
from lazulite.store.resources import Resource, Resources

STORE = "workspaceartifactstore"
LIFETIME = timedelta(hours=1)
LOG_FOLDERS = ("user_logs/", "azureml-logs/", "logs/", "system_logs/")


@dataclasses.dataclass(frozen=True)
class RunFile:
    """One artifact of a run. path: relative to the run's own folder."""

    path: str
    size: int
    modified: datetime


@dataclasses.dataclass(frozen=True)
class RunFiles:
    """Lists and names artifacts."""

    resources: Resources
    locate: Locate
    keys: Callable[[str], Awaitable[Sequence[bytes]]]
    """The keys of a storage account."""

    async def list(self, run: Resource, prefix: str = "") -> list[RunFile]:
        """The files whose path begins with the prefix, in the order of their paths."""
        folder = await self.locate(workspace_of(run.id), ARTIFACTS.format(job=run.name))
        found = await asyncio.to_thread(_listed, folder)
        return [file for file in found if file.path.startswith(prefix)]

    async def one(self, run: Resource, path: str) -> RunFile:
        """The file of that path. Raises ArmError 404."""
        for file in await self.list(run, path):
            if file.path == path:
                return file
        raise ArmError("ArtifactNotFound", f"The run {run.name!r} has no artifact {path!r}.", 404)

    async def urls(self, run: Resource, files: Sequence[RunFile], base: str) -> dict[str, str]:
        """URLs by path, good for an hour."""
        if not files:
            return {}
        store = await find_one(self.resources, workspace_of(run.id), "datastores", STORE)
        account, container = store.properties["accountName"], store.properties["containerName"]
        (key, *_) = await self.keys(account)
        grant = Grant(permissions="r", expiry=self.resources.clock() + LIFETIME)
        names = {
            file.path: f"{container}/ExperimentRun/dcid.{run.name}/{file.path}" for file in files
        }
        return {
            path: f"{base}/{account}/{quote(name)}?{sign_blob(account, key, grant, name)}"
            for path, name in names.items()
        }

    async def logs(self, run: Resource, base: str) -> dict[str, str]:
        """The URLs of the run's log files, by path."""
        files = [file for file in await self.list(run) if file.path.startswith(LOG_FOLDERS)]
        return await self.urls(run, files, base)


def _listed(folder: Path) -> list[RunFile]:
    """Regular files below a folder; links are neither followed nor listed."""
    found = []
    for at, _, names in os.walk(folder):
        for path in (Path(at, name) for name in names):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                found.append(RunFile(str(path.relative_to(folder)), status.st_size, modified))
    return sorted(found, key=lambda file: file.path)
