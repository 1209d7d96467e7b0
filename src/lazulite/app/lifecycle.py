"""The life of a server: take the lock, come up, serve, drain, stop everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from lazulite.app.arrival import WholeRequests
from lazulite.app.chores import Chore
from lazulite.app.foundation import Foundation, lay_foundation
from lazulite.app.layout import Layout
from lazulite.app.running import STOP_PATIENCE_S, hold, stop_tasks
from lazulite.app.server import Server, compose
from lazulite.app.upkeep import limits_of, tidy_environments
from lazulite.core.clock import utc_now
from lazulite.core.ids import segment_of
from lazulite.core.settings import Settings
from lazulite.serving.front_door import REFUSED, FrontDoorError
from lazulite.store.database import close_database
from lazulite.store.files import write_json

log = logging.getLogger(__name__)

PROVISION_PATIENCE_S = 10.0
STOP_LIMIT_S = 50.0
WATCH_S = 1.0
TIDY_S = 3600.0
SWEEP_S = 30.0


Ready = Callable[[Mapping[str, Any]], None]
"""Called with what server.json says once requests are answered."""


def serve(settings: Settings, layout: Layout, env: Mapping[str, str], ready: Ready) -> None:
    """Serve until SIGINT or SIGTERM, then drain and stop every process that was started.

    What an earlier control plane left running is adopted. Raises AlreadyRunningError, and
    LazuliteError for whatever keeps it from starting.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, layout, env, ready))


async def _serve(settings: Settings, layout: Layout, env: Mapping[str, str], ready: Ready) -> None:
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
            told = state(base, server)
            write_json(layout.state, told)
            ready(told)
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
        Chore(WATCH_S, server.vigil.look, "online deployments could not be looked at"),
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
