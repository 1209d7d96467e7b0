"""Sets of replica processes, each run by a keeper: a detached task that outlives this process."""

from __future__ import annotations

import asyncio
import contextlib
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
from lazulite.serving.keeper_orders import Orders, give
from lazulite.serving.keeper_restarts import KeeperRestarts
from lazulite.serving.kept_logs import KeptLogs
from lazulite.store.files import read_json

DRAIN_S = 10
LAST_WORDS = 2000
"""Bytes of a dead keeper's log that are shown."""


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
    asleep: bool = False
    """Whether none is started before a request waits."""
    liveness: Mapping[str, float] | None = None
    """How processes are asked whether they live, a Probe as JSON; None: they are not."""
    readiness: Mapping[str, float] | None = None

    @property
    def makes(self) -> Mapping[str, Any]:
        """All but their number: what differs in it needs other processes."""
        return {**dataclasses.asdict(self), "processes": None, "asleep": None}


Sign = tuple[str, Phase, int | None]
"""Of a set: its name, how its task stands, and when its status was last written."""


@dataclasses.dataclass(frozen=True)
class ReplicaSets:
    """Starts, watches and stops sets by name. sockets: a short folder where replicas listen."""

    executor: Executor
    sockets: Path
    worker_path: Path
    sandbox: Sandbox
    """What sets are started in from now on, besides what each set shows them."""
    kept: KeptLogs
    """Where the logs of sets go that are no more."""
    restarts: KeeperRestarts = dataclasses.field(default_factory=KeeperRestarts)

    async def ensure(self, name: str, spec: ReplicaSpec) -> dict[str, Any]:
        """The keeper's status: state, replicas, error, restarts; hardly anything while it starts.

        Starts the set, or again if its keeper was killed: ever later if that goes on, and then
        state is "crash-loop". A set that failed is left as it is.
        Raises SpecError if the set cannot be kept as the server wants its sets kept.
        """
        phase = await self.executor.observe(name)
        status: dict[str, Any] = read_json(self.executor.folder(name) / "status.json") or {}
        runs = phase in {Phase.PENDING, Phase.RUNNING}
        if runs:
            self.restarts.seen(name)
        elif status.get("state") != "failed":
            status = {}
            task = self._task(name, spec)
            if self.restarts.is_time(name, self._last_words(name)):
                await self._forget(name)
                await self.executor.ensure(task)
        life = self.restarts.of(name)
        if life.is_looping and status.get("state") != "ready":
            status = {**status, "state": "crash-loop", "error": life.error}
        return {**status, "restarts": life.restarts}

    async def sign(self, name: str) -> Sign:
        """What is another value once ensure() may say something else of a set that runs."""
        written = None
        with contextlib.suppress(FileNotFoundError):
            written = (self.executor.folder(name) / "status.json").stat().st_mtime_ns
        return name, await self.executor.observe(name), written

    async def resize(self, name: str, processes: int, *, asleep: bool = False) -> None:
        """Have a running set keep so many processes; those that stay are not touched.

        asleep: none of them, until a request waits. Surplus ones finish what they have. Safe to
        repeat; does nothing for a set that is not there.
        """
        folder = self.executor.folder(name)
        orders = Orders(self._places(name, processes), asleep)
        if folder.is_dir():
            await asyncio.to_thread(give, folder, orders)

    async def discard(self, name: str) -> bool:
        """Drain and stop a set; True once it is gone. To be called until then."""
        if await self.executor.observe(name) in {Phase.PENDING, Phase.RUNNING}:
            await self.executor.stop(name)
            return False
        await self._forget(name)
        self.restarts.forget(name)
        return True

    def logs(self, name: str) -> list[Path]:
        """The log file of each replica; of a set that is no more, what is kept."""
        present = sorted((self.executor.folder(name) / "logs").glob("replica-*.log"))
        return present or self.kept.of(name)

    async def _forget(self, name: str) -> None:
        """Keep the logs, and remove the rest."""
        await asyncio.to_thread(self.kept.keep, name, self.executor.folder(name) / "logs")
        await self.executor.forget(name)

    def _task(self, name: str, spec: ReplicaSpec) -> Task:
        fields = dataclasses.asdict(spec)
        del fields["processes"]
        sandbox = Sandbox.from_json(spec.sandbox).under(self.sandbox)
        _refuse_networkless(sandbox)
        fields["sandbox"] = sandbox.to_json()
        fields |= {"sockets": self._places(name, spec.processes)}
        fields |= {"waiting_socket": self._place(name, "w")}
        fields |= {"worker_path": str(self.worker_path), "drain_s": DRAIN_S}
        command = (sys.executable, "-m", "lazulite.serving.keeper", "spec.json")
        return Task(name=name, command=command, files={"spec.json": json.dumps(fields)})

    def _places(self, name: str, processes: int) -> tuple[str, ...]:
        return tuple(self._place(name, str(number)) for number in range(processes))

    def _place(self, name: str, socket: str) -> str:
        uid, _, generation = name.rpartition("-")
        return str(self.sockets / f"{uid[:12]}-{generation}-{socket}.sock")

    def _last_words(self, name: str) -> str:
        log = self.executor.folder(name) / "log"
        return log.read_text(errors="replace")[-LAST_WORDS:].strip() if log.exists() else ""


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


def all_ready(status: Mapping[str, Any], processes: int) -> bool:
    """Whether the first so many replicas of a set answer."""
    replicas = [one for one in status.get("replicas", []) if one["index"] < processes]
    return len(replicas) == processes and all(one["state"] == "ready" for one in replicas)
