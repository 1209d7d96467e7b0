"""The engine over compute nodes of this machine: nodes start and bury, the engine talks directly.

One loop over sockets: nodes say what started and ended, workers say what they did. Deadlines,
restarts and new nodes are looked at a few times a second.
"""

from __future__ import annotations

import itertools
import selectors
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lazulite.batch import launch
from lazulite.batch.engine import (
    Event,
    Failed,
    NodeAddress,
    Note,
    ProcessName,
    Returned,
    ShutdownFailed,
    StartFailed,
)
from lazulite.batch.job import Job
from lazulite.batch.seats import EngineNode, Seat
from lazulite.batch.usage import Usage
from lazulite.batch.worker import Worker
from lazulite.executors.node_wire import LinkClosedError, connect

TEND_S = 0.05
RECONNECT_S = 0.5
DUMP_S = 0.1
"""Between asking for the stack of a hung process and killing it."""
LONGEST_PAUSE_S = 5.0
"""Between starts that fail."""


class NodeEngine:
    """An Engine (see engine.py) of worker processes on compute nodes."""

    def __init__(self, job: Job, inputs: int) -> None:
        """inputs: descriptor of the inputs file; written before the first submit()."""
        self._job, self._inputs = job, inputs
        self._configuration = launch.configuration(job)
        self._selector = selectors.DefaultSelector()
        self._nodes: dict[str, EngineNode] = {}
        self._wanted: dict[str, NodeAddress] = {}
        self._keys = itertools.count(1)
        self._finishing, self._tended = False, 0.0
        self._usage = Usage(Path(job.log_dir), Path(job.output_dir))

    @property
    def ready(self) -> int:
        """How many processes have come through init()."""
        return sum(worker.ready for worker in self._workers())

    @property
    def untried(self) -> int:
        """How many processes are in init(), where none before them in their place has failed."""
        seats = (seat for node in self._nodes.values() for seat in node.seats if not seat.failures)
        return sum(seat.worker is not None and not seat.worker.ready for seat in seats)

    @property
    def is_idle(self) -> bool:
        """Whether no process is left."""
        return not any(node.workers for node in self._nodes.values())

    def attach(self, nodes: Iterable[NodeAddress]) -> list[Event]:
        """Use these nodes from now on; a node at another socket than before is another node."""
        events: list[Event] = []
        self._wanted = {address.node: address for address in nodes}
        for name, node in list(self._nodes.items()):
            if name not in self._wanted:
                self._dismiss(node, events)
            elif self._wanted[name] != node.address:
                self._part_with(node, events)
        self._use_wanted()
        self._tended = 0.0
        return events

    def feed(self, take: Callable[[int], list[int]], pending: int) -> bool:
        """Guided self-scheduling: shares shrink towards the end, so that all end together."""
        workers = list(self._workers())
        share, fed = pending // (4 * max(1, len(workers))) + 1, False
        for worker in workers:
            if (room := worker.room(share)) and (mini_batches := take(room)):
                worker.give(mini_batches)
                fed = True
        return fed

    def poll(self, seconds: float) -> list[Event]:
        """What happened; also where everything is done that falls due."""
        events: list[Event] = []
        now = time.monotonic()
        if now - self._tended >= TEND_S:
            self._tended = now
            for node in list(self._nodes.values()):
                self._tend(node, now, events)
            self._usage.look(self._workers())
        for key, _ in self._selector.select(0 if events else min(seconds, TEND_S)):
            if isinstance(key.fileobj, Worker):
                self._hear(key.fileobj, events)
            else:
                self._listen(key.data, events)
        return events

    def finish(self) -> None:
        """Stop the workers gently; those still in init() are killed."""
        self._finishing = True
        self._usage.measure(self._workers())
        for node in self._nodes.values():
            for worker in node.workers.values():
                self._end(node, worker)

    def close(self) -> None:
        """End the connections: the nodes kill what is left."""
        self._usage.write()
        for node in self._nodes.values():
            self._lose(node, [])
        self._nodes.clear()

    def _use_wanted(self) -> None:
        """Make room for nodes that are new; one that is still leaving comes back afterwards."""
        for name, address in self._wanted.items():
            if name not in self._nodes:
                first = launch.next_number(self._job, name)
                self._nodes[name] = EngineNode(address, self._job.processes_per_node, first)

    def _dismiss(self, node: EngineNode, events: list[Event]) -> None:
        """Another job needs the node: its processes end with the mini-batch that they are at."""
        if node.leaving_since is not None:
            return
        node.leaving_since = time.monotonic()
        events.append(Note(f"node {node.address.node} leaves"))
        for worker in node.workers.values():
            self._end(node, worker)

    def _end(self, node: EngineNode, worker: Worker) -> None:
        """Stop a process gently; one that is still in init() is killed."""
        if worker.ready:
            worker.stop()
        else:
            worker.stopping = True
            self._kill(node, worker)

    def _part_with(self, node: EngineNode, events: list[Event]) -> None:
        self._lose(node, events)
        del self._nodes[node.address.node]

    def _workers(self) -> Iterable[Worker]:
        return itertools.chain.from_iterable(node.workers.values() for node in self._nodes.values())

    def _hear(self, worker: Worker, events: list[Event]) -> None:
        """Take results. A closed connection is only an omen: the node tells of the end."""
        if worker.is_closed:
            return  # its node told of its end in this same round
        was_ready = worker.ready
        if not worker.receive(events) and worker.hung_up is None:
            worker.hung_up = time.monotonic()
            self._forget(worker)
        if worker.ready and not was_ready:
            took = time.monotonic() - worker.started
            events.append(
                Note(f"{worker.name.node} {worker.name.process} is ready after {took:.2f} s")
            )

    def _listen(self, node: EngineNode, events: list[Event]) -> None:
        """Take a node's messages."""
        try:
            messages = node.link.receive() if node.link else []
        except LinkClosedError:
            self._lose(node, events)
            return
        for message, _ in messages:
            for kind, report in message.items():
                self._report(node, kind, report, events)

    def _report(
        self, node: EngineNode, kind: str, report: dict[str, Any], events: list[Event]
    ) -> None:
        if kind == "hello":
            node.is_up = True
            events.append(Note(f"node {node.address.node} joined"))
            self._fill_seats(node, time.monotonic(), events)
        elif kind == "started":
            node.workers[report["id"]].pid = report["pid"]
        elif kind == "failed":
            worker = node.workers.pop(report["id"])
            worker.init_error = report["error"]
            self._bury(node, worker, 0, events)
        elif kind == "exited":
            self._bury(node, node.workers.pop(report["id"]), report["status"], events)

    def _bury(self, node: EngineNode, worker: Worker, status: int, events: list[Event]) -> None:
        """A process has ended: settle what it was given, and start another in its seat."""
        worker.receive(events)
        blamed = worker.sentence.mini_batch if worker.sentence else worker.running
        seat = node.seats[worker.seat]
        seat.worker = None
        if blamed in worker.given or not worker.stopping:
            events += _verdict(worker, blamed, status)
        elif worker.ready and status:
            events.append(ShutdownFailed(worker.name, worker.obituary(status)))
        left = tuple(number for number in worker.given if number != blamed)
        if left:
            events.append(Returned(left))
        seat.failures = 0 if worker.finished else seat.failures + 1
        if seat.failures:
            pause = min(0.1 * 2 ** (seat.failures - 1), LONGEST_PAUSE_S)
            seat.not_before = time.monotonic() + pause
        self._forget(worker)
        worker.close()
        self._fill_seats(node, time.monotonic(), events)

    def _tend(self, node: EngineNode, now: float, events: list[Event]) -> None:
        """Do what is due on one node."""
        if node.may_go(now):
            self._part_with(node, events)
            self._use_wanted()
            return
        if node.link is None and now >= node.try_at:
            self._connect(node, now)
        for worker in list(node.workers.values()):
            self._watch(node, worker, now)
        self._fill_seats(node, now, events)

    def _connect(self, node: EngineNode, now: float) -> None:
        node.try_at = now + RECONNECT_S
        try:
            node.link = connect(node.address.socket)
        except LinkClosedError:
            return  # not there yet, or being replaced
        self._selector.register(node.link, selectors.EVENT_READ, node)

    def _watch(self, node: EngineNode, worker: Worker, now: float) -> None:
        """End a process that is over its time: first its stack, then its whole group."""
        worker.flush()
        if worker.sentence is not None:
            if now - worker.sentence.since >= DUMP_S:
                self._kill(node, worker)
            return
        reason = worker.overdue(now, self._job.timeout_s, self._job.init_timeout_s)
        if reason is not None:
            worker.condemn(reason, now)
            self._tell(node, {"signal": {"id": worker.key, "signal": int(signal.SIGUSR1)}})

    def _fill_seats(self, node: EngineNode, now: float, events: list[Event]) -> None:
        if not node.is_up or self._finishing or node.leaving_since is not None:
            return
        for seat in node.seats:
            if seat.worker is None and now >= seat.not_before:
                self._start(node, seat, events)

    def _start(self, node: EngineNode, seat: Seat, events: list[Event]) -> None:
        name = ProcessName(node.address.node, f"process{next(node.numbers):03d}")
        stdout, stderr = launch.output_files(self._job, name)
        worker = Worker(next(self._keys), name, seat.index, stderr)
        request = {
            "id": worker.key,
            "argv": launch.command(self._job),
            "env": launch.environment(self._job, name, seat.index),
            "cwd": "/",
            "stdout": str(stdout),
            "stderr": str(stderr),
            "sandbox": self._job.sandbox,
        }
        self._tell(node, {"start": request}, (*worker.far_end, self._inputs))
        worker.configure(self._configuration)
        seat.worker = node.workers[worker.key] = worker
        self._selector.register(worker, selectors.EVENT_READ)
        events.append(Note(f"{name.node} {name.process} starts"))

    def _kill(self, node: EngineNode, worker: Worker) -> None:
        self._tell(node, {"kill": {"id": worker.key}})

    def _tell(
        self, node: EngineNode, message: dict[str, Any], descriptors: tuple[int, ...] = ()
    ) -> None:
        """A node that is gone cannot be told; that is noticed when its connection is read."""
        try:
            if node.link is not None:
                node.link.send(message, descriptors)
        except LinkClosedError:
            return

    def _lose(self, node: EngineNode, events: list[Event]) -> None:
        """The connection is over: the node has died or left. Nobody is charged."""
        if node.link is None:
            return
        self._selector.unregister(node.link)
        node.link.close()
        node.link, node.is_up = None, False
        for worker in list(node.workers.values()):
            worker.receive(events)
            if worker.given:
                events.append(Returned(tuple(worker.given)))
            self._forget(worker)
            worker.close()
        node.workers.clear()
        for seat in node.seats:
            seat.worker = None
        events.append(Note(f"node {node.address.node} is gone; its mini-batches go to others"))

    def _forget(self, worker: Worker) -> None:
        if worker.fileno() in self._selector.get_map():
            self._selector.unregister(worker)


def _verdict(worker: Worker, blamed: int, status: int) -> list[Event]:
    """What the end of a process means for the job."""
    reason = worker.obituary(status)
    if not worker.ready:
        return [StartFailed(worker.name, worker.sentence is not None, reason)]
    if blamed in worker.given:
        kind = "RUN_TIMEOUT" if worker.sentence else "PROCESS_DIED"
        return [Failed(worker.name, blamed, kind, reason)]
    if not worker.finished:
        return [StartFailed(worker.name, False, reason)]
    return [Note(f"{worker.name.node} {worker.name.process}: {reason}")]
