"""Keeps the replicas of one deployment alive: `python -m lazulite.serving.keeper spec.json`.

A detached task that needs nobody: it reads spec.json, writes status.json and logs/ in its
working directory, and goes on whatever becomes of the control plane, which may order another
number of replicas (keeper_orders). One that is asleep has none, until a request waits. SIGTERM
drains and ends it;
if it dies itself, its replicas die with it, so that another can start clean. Exit codes: 0 after
SIGTERM, 1 if the deployment failed before it was ever ready, 2 for a spec that cannot be used.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import selectors
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lazulite.executors.guard import adopt_orphans, reap_orphans
from lazulite.executors.launch import Sandbox
from lazulite.executors.signals import woken_by
from lazulite.serving.fleet import Fleet
from lazulite.serving.keeper_orders import Bell, Orders
from lazulite.serving.keeper_spec import (
    BrokenSpecError,
    KeeperSpec,
    make_folders,
    parse_spec,
    replica_environment,
)
from lazulite.serving.keeper_status import KeeperState, ReplicaState, StatusFile, status_document
from lazulite.serving.replica import Replica
from lazulite.serving.replica_socket import waiting_at

ROTATE_EVERY_S = 2.0

logger = logging.getLogger("lazulite.keeper")


class Keeper:
    """The loop: signals, replicas' messages and deadlines in; processes, sockets, status out."""

    def __init__(self, spec: KeeperSpec, folder: Path, inherited: Mapping[str, str]) -> None:
        """folder: for status.json and logs; inherited: variables that replicas may see."""
        folders = make_folders(folder, spec.worker_path)
        env = replica_environment(spec, inherited, folders)
        spec = dataclasses.replace(spec, sandbox=folders.shown_in(spec.sandbox))
        self._spec = spec
        self._waiting = waiting_at(spec.waiting_socket, spec.port)
        self._waiting.show()
        waiting = self._waiting.fileno()
        self._fleet = Fleet(lambda index, path: Replica(index, path, spec, env, (folder, waiting)))
        self._bell = Bell(folder)
        self._orders = Orders(spec.sockets, spec.asleep)
        self._is_asleep = False
        self._status = StatusFile(folder / "status.json")
        self._selector = selectors.DefaultSelector()
        self._was_ready = spec.asleep
        self._deaths_before_ready = 0
        self._error: dict[str, str] | None = None
        self._stopping = self._is_draining = False
        self._rotate_at = 0.0

    def run(self) -> int:
        """Keep the replicas until SIGTERM, or until they have failed. Returns the exit code."""
        self._watch_signals()
        self._selector.register(self._bell, selectors.EVENT_READ, self._bell.silence)
        self._obey(self._bell.orders() or self._orders, time.monotonic())
        while not self._is_over():
            self._fleet.arrange_sockets()
            self._write_status()
            for key, _events in self._selector.select(self._patience(time.monotonic())):
                key.data()
            self._look(time.monotonic())
        self._fleet.close_sockets()
        self._waiting.close()
        self._bell.close()
        self._write_status()
        return 1 if self._error else 0

    def _look(self, now: float) -> None:
        for replica in list(self._fleet.replicas):
            if replica.process is not None and (how := replica.process.reap()) is not None:
                self._died(replica, how, now)
        reap_orphans(spare=self._fleet.pids)
        for replica in self._fleet.replicas:
            if replica.due <= now and self._error is None:
                self._act(replica, now)
            if replica.probe_due <= now:
                replica.probe(now)
        if now >= self._rotate_at:
            self._rotate_at = now + ROTATE_EVERY_S
            for replica in self._fleet.replicas:
                replica.log.rotate()
        self._hear_orders(now)
        if self._stopping and not self._is_draining:
            self._stop(now)

    def _hear_orders(self, now: float) -> None:
        """The bell only wakes: what is written is read at every turn, so that none is missed."""
        orders = self._bell.orders()
        if orders is not None and orders != self._orders and not self._stopping:
            self._obey(orders, now)

    def _obey(self, orders: Orders, now: float) -> None:
        self._orders = orders
        if orders.asleep and not self._fleet.is_leaving:
            logger.info("falling asleep")
        self._resize(() if orders.asleep else orders.sockets, now)
        self._be_asleep(orders.asleep)

    def _be_asleep(self, asleep: bool) -> None:
        """Watch for somebody who waits, or leave that to the replicas."""
        if asleep and not self._is_asleep:
            self._selector.register(self._waiting.fileno(), selectors.EVENT_READ, self._wake)
        elif self._is_asleep and not asleep:
            self._selector.unregister(self._waiting.fileno())
        self._is_asleep = asleep

    def _wake(self) -> None:
        """A request waits."""
        logger.info("woken by a request")
        self._be_asleep(False)
        self._resize(self._orders.sockets, time.monotonic())

    def _resize(self, paths: Sequence[str], now: float) -> None:
        new, surplus = self._fleet.resize(paths)
        for replica in new:
            if self._error is None:
                self._start(replica, now)
        for replica in surplus:
            replica.stop(now + self._spec.drain_s)
            if replica.process is None:
                self._fleet.drop(replica)

    @property
    def state(self) -> KeeperState:
        """Ready: every replica has been ready once, and one is now, or none is to be."""
        if self._error is not None:
            return KeeperState.FAILED
        if self._is_draining:
            return KeeperState.STOPPING
        serves = self._is_asleep or self._fleet.is_served
        return KeeperState.READY if self._was_ready and serves else KeeperState.STARTING

    def _patience(self, now: float) -> float:
        due = [min(replica.due, replica.probe_due) for replica in self._fleet.replicas]
        return max(0.0, min([*due, self._rotate_at]) - now)

    def _start(self, replica: Replica, now: float) -> None:
        try:
            process = replica.start(now)
        except OSError as error:
            replica.blame(f"{self._spec.python} could not be started: {error}")
            self._fell(replica, None, now)
            return
        self._selector.register(process.status, selectors.EVENT_READ, lambda: self._hear(replica))

    def _hear(self, replica: Replica) -> None:
        """Read what a replica says of its start: a line, then the end of the pipe."""
        process = replica.process
        if process is None or (message := process.message()) is None:
            return
        self._selector.unregister(process.status)
        if "error" in message:
            replica.blame(str(message["error"]))
        elif "ready" in message:
            replica.become_ready(time.monotonic())
            logger.info("replica %d is ready, pid %d", replica.index, process.pid)
        self._was_ready = self._was_ready or self._fleet.is_complete

    def _died(self, replica: Replica, how: str, now: float) -> None:
        process = replica.process
        assert process is not None  # noqa: S101 - only a process is reaped
        if process.status in self._selector.get_map():
            self._hear(replica)
        if process.status in self._selector.get_map():  # a process it forked holds the pipe
            self._selector.unregister(process.status)
        process.close()
        replica.process = None
        logger.warning("replica %d, pid %d, ended: %s", replica.index, process.pid, how)
        if replica.state is ReplicaState.STOPPING:
            replica.exit, replica.due = how, math.inf
            self._left(replica, now)
            return
        self._fell(replica, how, now)

    def _left(self, replica: Replica, now: float) -> None:
        """It ended on being told: it goes, or was wanted again meanwhile."""
        if self._is_draining:
            return
        if replica.is_leaving:
            self._fleet.drop(replica)
        else:
            self._start(replica, now)

    def _fell(self, replica: Replica, how: str | None, now: float) -> None:
        """A replica ended by itself, or did not start: plan the next one, or give up."""
        replica.back_off(how, now)
        if self._was_ready:
            return
        self._deaths_before_ready += 1
        if self._deaths_before_ready < self._spec.max_init_failures:
            return
        reason = replica.error or f"the process ended with {how} and said nothing"
        self._error = {
            "code": "ResourceNotReady",
            "message": f"The scoring script could not be started, tried {self._deaths_before_ready}"
            f" times; see {replica.log.path}. The last error:\n{reason}",
        }
        self._fleet.kill()

    def _act(self, replica: Replica, now: float) -> None:
        if replica.state is ReplicaState.BACKOFF:
            replica.restarts += 1
            self._start(replica, now)
        else:
            replica.meet_deadline(now)

    def _stop(self, now: float) -> None:
        self._is_draining = True
        self._be_asleep(False)
        self._waiting.close()  # nobody will serve those who wait: let them look elsewhere now
        for replica in self._fleet.replicas:
            replica.stop(now + self._spec.drain_s)

    def _is_over(self) -> bool:
        if self._error is not None:
            return True
        return self._is_draining and self._fleet.is_gone

    def _write_status(self) -> None:
        spec = self._spec
        kind = Sandbox.from_json(spec.sandbox).kind
        document = status_document(
            self.state,
            self._fleet.reports(),
            self._error,
            spec.waiting_socket,
            kind,
            is_asleep=self._is_asleep,
        )
        self._status.write(document)

    def _watch_signals(self) -> None:
        wake = woken_by((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT), self._on_signal)
        self._selector.register(wake, selectors.EVENT_READ, lambda: wake.recv(4096))

    def _on_signal(self, number: int) -> None:
        self._stopping = self._stopping or number != signal.SIGCHLD


def main(arguments: list[str], inherited: Mapping[str, str]) -> int:
    """Keep what the spec file says, in the working directory. Returns the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    folder = Path.cwd()
    try:
        spec = parse_spec(Path(arguments[0]).read_text())
        keeper = Keeper(spec, folder, inherited)
    except (BrokenSpecError, OSError) as error:
        failure: dict[str, Any] = {"code": "InvalidDeploymentSpec", "message": str(error)}
        document = status_document(KeeperState.FAILED, [], failure, None)
        StatusFile(folder / "status.json").write(document)
        logger.error("%s", error)  # noqa: TRY400 - the message is for a person
        return 2
    adopt_orphans()  # what sandboxes leave behind, for a moment, has no other parent
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
