"""A replica over its many processes."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.executors.launch import Launch, Sandbox
from lazulite.serving.keeper_spec import KeeperSpec
from lazulite.serving.keeper_status import ReplicaState
from lazulite.serving.own_server import Probe
from lazulite.serving.replica_log import ReplicaLog
from lazulite.serving.replica_probe import ReplicaProbe
from lazulite.serving.replica_process import ReplicaProcess
from lazulite.serving.replica_socket import ReplicaSocket

HEALTHY_S = 10.0
"""A replica that was ready for this long is restarted at once when it dies."""
STUCK_S = 2.0
"""What a run() may take beyond its time limit before its process is killed."""
DUMP_S = 0.3
"""Between asking a process for its stacks and killing it."""
ERROR_LIMIT = 8 * 1024
CRASH_LOOP = 3
"""Ends in a row, none after a healthy while, from which on a replica is said to loop."""
SERVING = frozenset({ReplicaState.READY, ReplicaState.UNREADY})


def restart_delay(failures: int) -> float:
    """Seconds to wait before a start, after so many failures in a row: 0, 0.1, 0.2, ... 30."""
    return min(30.0, 0.1 * 2.0 ** min(failures - 1, 20)) if failures else 0.0


Site = tuple[Path, int]
"""Where logs/ goes, and the descriptor of the socket that all replicas serve besides their own."""


class Replica:
    """One replica: a socket, a log, and the process that serves, which may be replaced."""

    def __init__(
        self, index: int, path: str, spec: KeeperSpec, env: Mapping[str, str], site: Site
    ) -> None:
        """path: of its socket; env: all variables of the process."""
        folder, waiting = site
        self.index = index
        self.is_leaving = False
        """Whether it is gone for good once its process has ended."""
        self.socket = ReplicaSocket(path)
        self.log = ReplicaLog(folder / "logs" / f"replica-{index}.log", spec.log_limit)
        self.process: ReplicaProcess | None = None
        self.state = ReplicaState.STARTING
        self.restarts = 0
        self.exit: str | None = None
        """How the last process ended."""
        self.error: str | None = None
        """Why it ended, where that is known."""
        self.due = math.inf
        """When meet_deadline, or in BACKOFF start, is to be called (time.monotonic)."""
        self._spec, self._waiting = spec, waiting
        self._failures = 0
        self._ready_at: float | None = None
        self._started_at = 0.0
        self._liveness: ReplicaProbe | None = None
        self._readiness: ReplicaProbe | None = None
        self._reason: str | None = None  # why the current process will have ended
        self._condemned: tuple[str, float, int] | None = None  # why, busy since, size of the log
        options = f"--max-body={spec.max_body}"
        argv = (spec.python or sys.executable, "-m", spec.module, options)
        self._launch = Launch(argv=argv, env=env, cwd=env["PYTHONPATH"].split(":")[0])
        self._sandbox = Sandbox.from_json(spec.sandbox)

    def start(self, now: float) -> ReplicaProcess:
        """Start a process. Raises OSError if there is no such interpreter, or no memory."""
        self._condemned = self._ready_at = None
        self._reason, self._started_at = None, now
        with self.log.open() as log:
            listeners = (self.socket.fileno(), self._waiting)
            self.process = ReplicaProcess(self._launch, self._sandbox, listeners, log.fileno())
        self.state = ReplicaState.STARTING
        self.due = math.inf if self._spec.is_debugged else now + self._spec.init_timeout_s
        return self.process

    def blame(self, reason: str) -> None:
        """Say why the process ends, before its end is seen."""
        self._reason = reason

    def become_ready(self, now: float) -> None:
        """init() has returned."""
        if self.state is not ReplicaState.STARTING:
            return
        self.state, self._condemned = ReplicaState.READY, None
        self._ready_at = now
        self.due = now + self._limit_s
        if self.process is not None and self._spec.port is None:
            self.process.give_way()
        self._liveness = self._probe(self._spec.liveness, now)
        self._readiness = self._probe(self._spec.readiness, now)

    @property
    def probe_due(self) -> float:
        """When probe() is to be called (time.monotonic)."""
        if self.state not in SERVING or self._condemned is not None:
            return math.inf
        return min((probe.due for probe in self._probes), default=math.inf)

    def probe(self, now: float) -> None:
        """Ask the process whether it lives and is ready, and act on what is known by now."""
        process = self.process
        if process is None:
            return
        for probe in self._probes:
            if probe.due <= now:
                probe.look(now, process, self.socket.place)
        if self._liveness is not None and self._liveness.has_failed:
            reason = f"The liveness probe {self._liveness.complaint}"
            self._liveness.start_over(now)
            self._condemn(process, reason, now)
        elif self._readiness is not None:
            self._judge(self._readiness)

    def back_off(self, how: str | None, now: float) -> None:
        """Say when to start the next process. how: the last one ended, None if it never ran."""
        was_healthy = self._ready_at is not None and now - self._ready_at > HEALTHY_S
        self._failures = 0 if was_healthy else self._failures + 1
        self.state, self.exit, self.error = ReplicaState.BACKOFF, how, self._reason
        self._end_probes()
        self.due = now + restart_delay(self._failures)

    def stop(self, kill_at: float) -> None:
        """Let the process finish its requests, until kill_at (time.monotonic)."""
        self.state, self.due = ReplicaState.STOPPING, math.inf
        self._end_probes()
        if self.process is not None:
            self.process.signal(signal.SIGTERM)
            self.due = kill_at

    def meet_deadline(self, now: float) -> None:
        """The time `due` has come: see whether the process is late, and end it if so."""
        process = self.process
        if process is None:
            self.due = math.inf
        elif self.state is ReplicaState.STOPPING or self._condemned is not None:
            self._end(process, now)
        elif self.state is ReplicaState.STARTING:
            self._condemn(
                process, f"init() did not return within {self._spec.init_timeout_s:g} s", now
            )
        elif (since := process.busy_since) and now >= since + self._limit_s:
            limit = self._spec.request_timeout_ms
            self._condemn(process, f"run() did not end at its time limit of {limit} ms", now)
        else:
            self.due = (since or now) + self._limit_s

    def report(self) -> dict[str, Any]:
        """The entry in status.json."""
        return {
            "index": self.index,
            "pid": self.process.pid if self.process is not None else None,
            "state": ReplicaState.CRASH_LOOP if self.is_looping else self.state,
            "socket": self.socket.path,
            "restarts": self.restarts,
            "exit": self.exit,
            "error": self._complaint or self.error,
        }

    @property
    def is_looping(self) -> bool:
        """Whether it ends again and again, and does not serve now."""
        waits = self.state in {ReplicaState.STARTING, ReplicaState.BACKOFF}
        return waits and self._failures >= CRASH_LOOP

    @property
    def _complaint(self) -> str | None:
        if self.state is not ReplicaState.UNREADY or self._readiness is None:
            return None
        return f"The readiness probe {self._readiness.complaint}"

    @property
    def _probes(self) -> tuple[ReplicaProbe, ...]:
        return tuple(one for one in (self._liveness, self._readiness) if one is not None)

    def _probe(self, probe: Probe | None, now: float) -> ReplicaProbe | None:
        return None if probe is None else ReplicaProbe(probe, self._started_at, now)

    def _end_probes(self) -> None:
        for probe in self._probes:
            probe.close()
        self._liveness = self._readiness = None

    def _judge(self, readiness: ReplicaProbe) -> None:
        """Out of the front door while it is not ready, and back."""
        if self.state is ReplicaState.READY and readiness.has_failed:
            self.state = ReplicaState.UNREADY
        elif self.state is ReplicaState.UNREADY and readiness.has_succeeded:
            self.state = ReplicaState.READY

    @property
    def _limit_s(self) -> float:
        if self._spec.is_debugged:
            return math.inf
        return self._spec.request_timeout_ms / 1000 + STUCK_S

    def _condemn(self, process: ReplicaProcess, reason: str, now: float) -> None:
        self._condemned = (reason, process.busy_since, self.log.size())
        process.signal(signal.SIGUSR1)  # faulthandler writes every stack to the log
        self.due = now + DUMP_S

    def _end(self, process: ReplicaProcess, now: float) -> None:
        if self.state is not ReplicaState.STOPPING and self._condemned is not None:
            reason, since, offset = self._condemned
            if self.state in SERVING and process.busy_since != since:
                self._condemned, self.due = None, now + self._limit_s  # it came back after all
                return
            self._reason = f"{reason}.\n{self.log.text_from(offset, ERROR_LIMIT)}"
        process.kill()
        self.due = math.inf
