"""A replica that is a container with its own server: `python -m lazulite.serving.own_container`.

To the keeper it is a replica like others: it is passed the same descriptors, says when it is
ready, drains at SIGTERM and takes the container along when it ends, however it ends. An HAProxy of
its own leads from the replica's sockets to the container's port.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from lazulite.executors.container import mounts, process_limit
from lazulite.executors.container_engine import Engine, EngineError, Output
from lazulite.executors.container_guard import ContainerGuard
from lazulite.executors.holders import labels
from lazulite.executors.signals import woken_by
from lazulite.serving.own_probe import Prober
from lazulite.serving.own_proxy import Proxy, ProxyError
from lazulite.serving.own_server import VARIABLE, OwnServer, Route
from lazulite_worker.life import end_with

FAILED = 3
LOOPBACK = "127.0.0.1"
BRIDGE = "bridge"
WATCH_S = 0.5


class OwnContainerError(Exception):
    """The container does not serve; the message says why."""


class StoppedError(Exception):
    """SIGTERM has come."""


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; the exit code."""
    options = _options(arguments)
    server = OwnServer.from_text(environ[VARIABLE])
    engine = Engine(server.sandbox.details["engine"])
    guard = ContainerGuard(engine)
    end_with(options.life_fd)  # type: ignore[no-untyped-call]  # of the worker, which has no types
    replica = Replica(server, engine, guard, _stop_signal())
    try:
        replica.serve((options.socket_fd, options.waiting_fd), options.status_fd)
    except StoppedError:
        return 0
    except (OwnContainerError, ProxyError, EngineError, OSError) as error:
        print(f"[lazulite] {error}", flush=True)  # noqa: T201 - the replica's log
        _report(options.status_fd, {"error": str(error)})
        return FAILED
    return 0


class Replica:
    """The container, its probes and its proxy."""

    def __init__(
        self, server: OwnServer, engine: Engine, guard: ContainerGuard, stopping: socket.socket
    ) -> None:
        """stopping: becomes readable at SIGTERM."""
        self._server, self._engine, self._guard = server, engine, guard
        self._stopping = stopping
        self._ended = threading.Event()

    def serve(self, listeners: tuple[int, int], status: int) -> None:
        """Run the container. Raises StoppedError at SIGTERM, OwnContainerError when it fails."""
        with self._running() as ports:
            self._await_readiness(ports)
            route = self._server.scoring
            proxy = Proxy(listeners, route.path, ports[route.port])
            try:
                _report(status, {"ready": True})
                self._watch(ports, proxy)
            except StoppedError:
                proxy.drain()  # the keeper knows when that takes too long
                raise
            finally:
                proxy.end()

    @contextlib.contextmanager
    def _running(self) -> Iterator[Mapping[int, int]]:
        """The container, with the ports of this machine where its own are reached."""
        is_bridged = BRIDGE in self._engine.networks()
        if not is_bridged:
            _refuse_taken(self._server.ports)
        container = self._engine.create(configuration(self._server, is_bridged))
        self._guard.add(container)
        try:
            output = self._engine.attach(container)
            threading.Thread(target=self._copy, args=(output,), daemon=True).start()
            self._engine.start(container)
            yield self._ports(container, is_bridged)
        finally:
            self._engine.remove(container)

    def _copy(self, output: Output) -> None:
        """What the container says goes into the replica's log."""
        for piece in output.pieces():
            os.write(1, piece)
        self._ended.set()

    def _ports(self, container: str, is_bridged: bool) -> dict[int, int]:
        if not is_bridged:
            return {port: port for port in self._server.ports}
        found = self._engine.inspect(container) or {}
        published = found.get("NetworkSettings", {}).get("Ports", {})
        try:
            return {
                port: int(published[f"{port}/tcp"][0]["HostPort"]) for port in self._server.ports
            }
        except (KeyError, IndexError, TypeError) as error:
            raise OwnContainerError("The container ended at once: its output says why.") from error

    def _await_readiness(self, ports: Mapping[int, int]) -> None:
        """Ask until it is ready; the keeper knows when that takes too long."""
        route = self._server.readiness or Route(path="", port=self._server.scoring.port)
        prober = Prober(route, self._server.readiness_probe, ports, time.monotonic())
        while not prober.is_ready:
            self._pause(prober.due)
            prober.ask(time.monotonic())

    def _watch(self, ports: Mapping[int, int], proxy: Proxy) -> None:
        """Ask whether it lives, until it does not or SIGTERM comes."""
        route, probe = self._server.liveness, self._server.liveness_probe
        prober = route and Prober(route, probe, ports, time.monotonic() + probe.delay_s)
        while not proxy.has_ended:
            self._pause(min(time.monotonic() + WATCH_S, prober.due if prober else sys.maxsize))
            if prober and time.monotonic() >= prober.due:
                prober.ask(time.monotonic())
            if prober and prober.has_failed:
                raise OwnContainerError(
                    f"The liveness route {prober.what} failed {probe.failures} times in a row."
                )
        raise OwnContainerError("The proxy before the container ended.")

    def _pause(self, until: float) -> None:
        """Wait. Raises StoppedError at SIGTERM, OwnContainerError if the container ends."""
        while (left := until - time.monotonic()) > 0:
            if select.select([self._stopping], [], [], min(left, WATCH_S))[0]:
                raise StoppedError
            if self._ended.is_set():
                raise OwnContainerError("The container ended: its output says why.")


def configuration(server: OwnServer, is_bridged: bool) -> dict[str, Any]:
    """What to create: the image as it is, with the model and the code in it."""
    ports = {f"{port}/tcp": [{"HostIp": LOOPBACK, "HostPort": ""}] for port in server.ports}
    return {
        "Image": server.sandbox.details["image"],
        "Env": [f"{name}={value}" for name, value in server.env.items()],
        "ExposedPorts": {port: {} for port in ports},
        "Labels": labels(server.sandbox.details["owner"]),
        "HostConfig": {
            "AutoRemove": True,
            "NetworkMode": BRIDGE if is_bridged else "host",
            "PortBindings": ports if is_bridged else {},
            "Mounts": mounts(server.sandbox.mounts),
            "SecurityOpt": ["no-new-privileges"],
            **process_limit(server.sandbox),
        },
    }


def _refuse_taken(ports: frozenset[int]) -> None:
    """Without a bridge the container listens on this machine itself. Raises OwnContainerError."""
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                raise OwnContainerError(
                    f"Port {port} of this machine is taken, and the engine has no bridge network "
                    "that would give the container ports of its own: use one instance, or start "
                    "the engine with a bridge."
                )


def _stop_signal() -> socket.socket:
    """Readable once SIGTERM has come."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a worker would write its stacks
    return woken_by((signal.SIGTERM, signal.SIGINT))


def _report(status: int, value: dict[str, Any]) -> None:
    """Tell the keeper; once."""
    with contextlib.suppress(OSError), os.fdopen(status, "w") as file:
        file.write(json.dumps(value) + "\n")


def _options(arguments: list[str]) -> argparse.Namespace:
    """Those that the keeper gives to every replica."""
    parser = argparse.ArgumentParser(prog="lazulite.serving.own_container")
    for name in ("socket", "waiting", "status", "cell", "life"):
        parser.add_argument(f"--{name}-fd", type=int, required=True)
    parser.add_argument("--max-body", type=int)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
