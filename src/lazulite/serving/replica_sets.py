"""Sets of replica processes, each run by a keeper: a detached task that outlives this process."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.core.errors import SpecError
from lazulite.executors.container import OWN_CONTAINER
from lazulite.executors.launch import Sandbox
from lazulite.executors.protocol import Executor, Phase, Task
from lazulite.store.files import read_json

DRAIN_S = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReplicaSpec:
    """What each replica of a set is started with."""

    python: str
    processes: int
    env: Mapping[str, str]
    code_dir: str | None
    init_timeout_s: float
    request_timeout_ms: int
    module: str = "lazulite_worker.serve"
    """What the interpreter runs."""
    port: int | None = None
    """Of this machine's loopback, where clients find the set without a front door."""
    sandbox: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What they run in: a Sandbox as JSON."""


@dataclasses.dataclass(frozen=True)
class ReplicaSets:
    """Starts, watches and stops sets by name. sockets: a short folder where replicas listen."""

    executor: Executor
    sockets: Path
    worker_path: Path
    sandbox: Sandbox
    """What sets are started in from now on, besides what each set shows them."""

    async def ensure(self, name: str, spec: ReplicaSpec) -> dict[str, Any]:
        """The keeper's status: state, replicas, error; {} while it starts.

        Starts the set, or again if its keeper was killed. A set that failed is left as it is.
        Raises SpecError if the set cannot be kept as the server wants its sets kept.
        """
        phase = await self.executor.observe(name)
        status: dict[str, Any] = read_json(self.executor.folder(name) / "status.json") or {}
        if phase in {Phase.PENDING, Phase.RUNNING} or status.get("state") == "failed":
            return status
        task = self._task(name, spec)
        await self.executor.forget(name)
        await self.executor.ensure(task)
        return {}

    async def discard(self, name: str) -> bool:
        """Drain and stop a set; True once it is gone. To be called until then."""
        if await self.executor.observe(name) in {Phase.PENDING, Phase.RUNNING}:
            await self.executor.stop(name)
            return False
        await self.executor.forget(name)
        return True

    def logs(self, name: str) -> list[Path]:
        """The log file of each replica."""
        return sorted((self.executor.folder(name) / "logs").glob("replica-*.log"))

    def _task(self, name: str, spec: ReplicaSpec) -> Task:
        uid, _, generation = name.rpartition("-")
        prefix = f"{uid[:12]}-{generation}"
        places = [str(self.sockets / f"{prefix}-{place}.sock") for place in range(spec.processes)]
        fields = dataclasses.asdict(spec)
        del fields["processes"]
        sandbox = Sandbox.from_json(spec.sandbox).under(self.sandbox)
        _refuse_networkless(sandbox)
        fields["sandbox"] = sandbox.to_json()
        fields |= {"sockets": places, "waiting_socket": str(self.sockets / f"{prefix}-w.sock")}
        fields |= {"worker_path": str(self.worker_path), "drain_s": DRAIN_S}
        command = (sys.executable, "-m", "lazulite.serving.keeper", "spec.json")
        return Task(name=name, command=command, files={"spec.json": json.dumps(fields)})


def _refuse_networkless(sandbox: Sandbox) -> None:
    """Nobody must believe that a container is cut off when it is not. Raises SpecError."""
    if sandbox.kind == OWN_CONTAINER and not sandbox.network:
        raise SpecError(
            "NetworkNeeded",
            "The environment's inferenceConfig says that the image brings its own server, which is "
            "reached over the network, and LAZULITE_ISOLATION_NETWORK is none: score with a "
            "scoring script, which needs no network, or start the server with host.",
            target="environmentId",
        )


def all_ready(status: Mapping[str, Any]) -> bool:
    """Whether every replica of a set answers."""
    replicas = status.get("replicas", [])
    return bool(replicas) and all(replica["state"] == "ready" for replica in replicas)
