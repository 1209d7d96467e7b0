"""Replicas of local deployments: watched, stopped and read; `lazulite.local.starting` starts them.

State is in files below `local/` in the data folder, where a server leaves it alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.environments.places import Places
from lazulite.executors.local import LocalExecutor
from lazulite.executors.passing import passed_on
from lazulite.executors.protocol import Phase
from lazulite.local.records import LocalDeployment
from lazulite.store.files import make_folder_durably, read_json

STOP_PATIENCE_S = 30.0
PAUSE_S = 0.05


@dataclasses.dataclass(frozen=True)
class LocalReplicas:
    """What runs in one data folder."""

    data: Path
    executor: LocalExecutor

    @classmethod
    def of(cls, data: Path, env: Mapping[str, str]) -> LocalReplicas:
        """Those of a data folder, which is made if need be."""
        make_folder_durably(data / "local" / "tasks")
        return cls(data, LocalExecutor(data / "local" / "tasks", passed_on(env)))

    @property
    def assets(self) -> Path:
        """Where models are linked to, a folder for each start."""
        return self.data / "local" / "assets"

    @property
    def kept_logs(self) -> Path:
        """Where the logs of killed keepers go."""
        return self.data / "local" / "kept-logs"

    def stop(self, task: str) -> None:
        """Let the replicas finish what they are at, and remove all that is kept of them."""
        asyncio.run(self._stopped(task))
        for folder in (self.assets, self.kept_logs):
            shutil.rmtree(folder / task, ignore_errors=True)

    def state(self, deployment: LocalDeployment) -> tuple[str, Mapping[str, Any] | None]:
        """The provisioning state, and the error of one that failed."""
        # Asked before the file is read, as a keeper writes it last.
        phase = asyncio.run(self.executor.observe(deployment.task))
        status = read_json(self.executor.folder(deployment.task) / "status.json") or {}
        if status.get("state") == "failed":
            return "Failed", status.get("error")
        if phase is Phase.RUNNING:
            return ("Succeeded" if status.get("state") == "ready" else "Updating"), None
        return "Failed", {
            "code": "NotRunning",
            "message": f"The processes of {deployment.name} are gone, as after a restart of the"
            " machine. `lazulite ml online-deployment update --local` starts them again.",
        }

    def logs(self, deployment: LocalDeployment) -> list[Path]:
        """The log of each replica; of one that had none yet, that of its keeper."""
        folder = self.executor.folder(deployment.task)
        return sorted((folder / "logs").glob("replica-*.log")) or [folder / "log"]

    def build_log(self, deployment: LocalDeployment) -> Path:
        """The log of the environment's build."""
        return Places(self.data / "environments", deployment.environment).log

    async def _stopped(self, task: str) -> None:
        deadline = time.monotonic() + STOP_PATIENCE_S
        while await self.executor.observe(task) in {Phase.PENDING, Phase.RUNNING}:
            await self.executor.stop(task, kill=time.monotonic() > deadline)
            await asyncio.sleep(PAUSE_S)
        await self.executor.forget(task)
