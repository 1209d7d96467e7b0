"""The life of a server: take the lock, come up, serve, drain, stop everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import fcntl
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import uvicorn

from lazulite.app.arrival import WholeRequests
from lazulite.app.chores import Chore
from lazulite.app.foundation import Foundation, lay_foundation
from lazulite.app.layout import Layout
from lazulite.app.server import Server, compose
from lazulite.app.upkeep import limits_of, tidy_environments
from lazulite.core.clock import utc_now
from lazulite.core.errors import LazuliteError
from lazulite.core.ids import segment_of
from lazulite.core.settings import Settings
from lazulite.executors.local import LocalExecutor
from lazulite.executors.protocol import Phase
from lazulite.serving.front_door import REFUSED, TASK_NAME, FrontDoorError
from lazulite.store.database import close_database
from lazulite.store.files import write_json

log = logging.getLogger(__name__)

PROVISION_PATIENCE_S = 10.0
STOP_PATIENCE_S = 15.0
STOP_LIMIT_S = 50.0
WATCH_S = 1.0
TIDY_S = 3600.0
SWEEP_S = 30.0
LOCK_PATIENCE_S = 0.5


class AlreadyRunningError(LazuliteError):
    """Another control plane works on the data folder."""


async def run_server(
    settings: Settings, layout: Layout, env: Mapping[str, str], ready: Callable[[Server], None]
) -> None:
    """Serve until SIGINT or SIGTERM, then drain and stop every process that was started.

    ready: called once requests are answered. What an earlier control plane left running is
    adopted. Raises AlreadyRunningError, and LazuliteError for whatever keeps it from starting.
    """
    stop = _stop_signal()
    with hold(layout):
        layout.state.unlink(missing_ok=True)  # of one that was killed: this one is not ready yet
        base = await lay_foundation(settings, layout, env)
        await base.resources.release_leases()  # whoever held one is dead: this process has the lock
        server = await compose(base, await base.front_door.addresses(), env)
        await _publish(server)
        listening = _listen(layout.control_socket)
        web = _web_server(server)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(web.serve(sockets=[listening]))
            working = group.create_task(server.reconciler.run())
            doing = {group.create_task(_repeat(each, stop)) for each in _chores(base, server)}
            doing.add(group.create_task(server.telemetry.serve_metrics(stop)))
            await _until_provisioned(base, server, stop)
            write_json(layout.state, state(base, server))
            ready(server)
            await stop.wait()
            faulthandler.dump_traceback_later(STOP_LIMIT_S, exit=True)  # says where it hangs
            server.reconciler.stop()
            await asyncio.wait({working, *doing}, timeout=STOP_PATIENCE_S)
            await base.front_door.stop()
            await _stop_all(base)
            web.should_exit = True
            await serving
        await _close(base, server)
        layout.state.unlink(missing_ok=True)


async def _close(base: Foundation, server: Server) -> None:
    """Give back what was opened."""
    await base.reach.close()
    await server.delivery.close()
    await server.store.close()
    server.telemetry.close()
    await close_database(base.engine)


@contextlib.contextmanager
def hold(layout: Layout) -> Iterator[None]:
    """Be the only control plane of a data folder. Raises AlreadyRunningError naming the other.

    Patient for a moment: commands that ask who holds the lock take it, too.
    """
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while holder(layout) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    with _locked(layout.lock) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def holder(layout: Layout) -> int | None:
    """The pid of the running control plane; None if none runs."""
    try:
        with _locked(layout.lock):
            return None
    except FileNotFoundError:
        return None
    except AlreadyRunningError:
        text = layout.lock.read_text().strip()
        return int(text) if text.isdigit() else -1


async def stop_tasks(executor: LocalExecutor) -> None:
    """Stop whatever runs, the front door last. Jobs are killed: they go on at the next start."""
    names = [name for name in executor.names() if name != TASK_NAME]
    for name in names:
        await executor.stop(name, kill=name.startswith(("job-", "env-")))
    await _ended(executor, names)
    await executor.stop(TASK_NAME)
    await _ended(executor, [TASK_NAME])


def state(base: Foundation, server: Server) -> dict[str, Any]:
    """server.json: what commands need to reach the server, and to tell of it."""
    return {
        "pid": os.getpid(),
        "url": server.url,
        "http_url": server.http_url,
        "tenant_id": base.installed.tenant_id,
        "subscription_id": base.installed.subscription_id,
        "resource_group": segment_of(server.workspace, "resourceGroups"),
        "workspace": segment_of(server.workspace, "workspaces"),
        "workspace_id": server.workspace,
        "ca_file": str(base.certificates.authority),
        "ca_bundle": str(base.certificates.bundle),
        "isolation": {"level": base.isolation.level, "reason": base.isolation.reason},
    }


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = path.read_text().strip() or "unknown"
            raise AlreadyRunningError(
                "AlreadyRunning",
                f"A server (pid {pid}) runs on {str(path.parent)!r} already: use it, stop it with "
                "`lazulite down`, or choose another --data-dir.",
            ) from error
        yield file


def _stop_signal() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked, number)
    return stop


def _listen(path: Path) -> socket.socket:
    """The control plane's socket, its owner's alone."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o600)
    listening.listen(2048)
    return listening


class _WebServer(uvicorn.Server):
    """uvicorn without signal handlers: this module has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _web_server(server: Server) -> _WebServer:
    config = uvicorn.Config(
        WholeRequests(server.app),
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
        proxy_headers=True,
        forwarded_allow_ips="*",  # only the front door reaches the socket, and it sets them itself
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    return _WebServer(config)


async def _publish(server: Server) -> None:
    """Bring the front door up to date; it keeps its last good configuration if it refuses."""
    try:
        await server.publisher.publish()
    except FrontDoorError as error:
        if error.code != REFUSED:
            raise
        log.exception("the front door refused its configuration and keeps the last good one")


async def _until_provisioned(base: Foundation, server: Server, stop: asyncio.Event) -> None:
    """The first workspace is there before anyone is told that the server is."""
    deadline = asyncio.get_running_loop().time() + PROVISION_PATIENCE_S
    while not stop.is_set() and asyncio.get_running_loop().time() < deadline:
        found = await base.resources.find(server.workspace)
        if found is None or found.observed_generation > 0:
            return
        await asyncio.sleep(0.01)


def _chores(base: Foundation, server: Server) -> list[Chore]:
    """What is done again and again while the server runs."""
    limits = limits_of(base.settings)

    async def tidy() -> None:
        await base.resources.bury()
        await tidy_environments(server.cache, limits, utc_now())

    async def sweep() -> None:
        await asyncio.to_thread(base.providers.sweep, base.layout.folder("environments"))

    return [
        # Starts the front door again if its keeper is gone; publishes what another step has missed.
        Chore(WATCH_S, server.publisher.publish, "the front door could not be brought up to date"),
        # What was kept for a while only.
        Chore(TIDY_S, tidy, "what is no longer needed could not be removed"),
        *server.telemetry.chores(),
        # Containers whose holders were killed before they could remove them.
        Chore(SWEEP_S, sweep, "containers could not be looked through"),
    ]


async def _repeat(chore: Chore, stop: asyncio.Event) -> None:
    """Once the server is up, and then whenever the time has passed."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), chore.after_s)
    while not stop.is_set():
        try:
            await chore.work()
        except Exception:  # the loop: the next turn tries again
            log.exception(chore.complaint)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), chore.every_s)


async def _stop_all(base: Foundation) -> None:
    """Stop tasks, and remove what containers are left."""
    await stop_tasks(base.executor)
    await asyncio.to_thread(base.providers.sweep, base.layout.folder("environments"))


async def _ended(executor: LocalExecutor, names: list[str]) -> None:
    """Wait for tasks that were told to stop; kill those that take too long."""
    deadline = asyncio.get_running_loop().time() + STOP_PATIENCE_S
    left = names
    while left:
        left = [name for name in left if await executor.observe(name) is Phase.RUNNING]
        late = asyncio.get_running_loop().time() > deadline
        for name in left if late else []:
            await executor.stop(name, kill=True)
        await asyncio.sleep(0.02)


def read_state(layout: Layout) -> dict[str, Any] | None:
    """What the running server wrote of itself; None if none is ready."""
    try:
        found: dict[str, Any] = json.loads(layout.state.read_bytes())
    except FileNotFoundError:
        return None
    return found
