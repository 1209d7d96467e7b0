"""One HAProxy on listening sockets that somebody else owns: start, reload, stop."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from lazulite.serving.haproxy_succession import MARK, SCORING_S

_START_PATIENCE_S = 10.0
_CHECK_PATIENCE_S = 30.0
_ANSWER_PATIENCE_S = 2.0
_LOG_BYTES = 10 * 2**20
_PR_SET_PDEATHSIG = 1

MOST_DRAINING = 8
"""Processes of older configurations that may finish what they have, however long that takes."""


class HAProxy:
    """The serving HAProxy process, and older ones that finish their requests."""

    def __init__(
        self,
        program: str,
        configurations: Path,
        run_folder: Path,
        log: Path,
        listeners: Mapping[str, socket.socket],
        outputs: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """listeners, outputs: by the environment variables that tell HAProxy the descriptors."""
        self.configuration: str | None = None
        self.listeners, self._outputs = listeners, outputs
        self.serving: subprocess.Popen[bytes] | None = None
        self.draining: dict[subprocess.Popen[bytes], float] = {}
        """Since when (time.monotonic), oldest first."""
        self._program, self._configurations, self._log = program, configurations, log
        self._starts = 0
        self._stats = str(run_folder / "stats.sock")

    def load(self, configuration: str) -> str | None:
        """Serve this configuration from now on; returns what HAProxy has against it, else None.

        Blocks until new connections meet this configuration only; the old process ends when its
        requests have. A new process that refuses its configuration ends before it tells the old
        one, which then goes on as before.
        """
        before = _open_console(self._stats)
        reason = self._replace(configuration)
        if before is not None:
            if reason is None:
                before.hand_on()
            before.close()
        return reason

    def restart(self) -> str | None:
        """Start again what died; returns why it could not be."""
        self.serving = None
        return self.load(self.configuration) if self.configuration else None

    def reap(self) -> bool:
        """Collect ended processes; True if the serving one is among them."""
        running = {one: since for one, since in self.draining.items() if one.poll() is None}
        self.draining = running
        return self.serving is not None and self.serving.poll() is not None

    def end_oldest(self) -> None:
        """End those beyond MOST_DRAINING, but for those that may have scoring requests yet.

        What is cut then are transfers of blobs that go on through many changes.
        """
        for process in list(self.draining)[:-MOST_DRAINING]:
            if time.monotonic() - self.draining[process] > SCORING_S:
                process.kill()

    def trim_log(self) -> None:
        """Move a log that has grown to haproxy.log.1; HAProxy writes on to the same file."""
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            shutil.copyfile(self._log, self._log.with_suffix(".log.1"))
            os.truncate(self._log, 0)

    def stop(self, drain_s: float) -> None:
        """Take no new connection, finish requests for at most drain_s, end."""
        for listener in self.listeners.values():
            listener.close()
        deadline = time.monotonic() + drain_s
        if self.serving is not None:
            self._finish_requests(self.serving, deadline)
            self.draining[self.serving] = time.monotonic()
        for process in self.draining:
            _end(process, deadline)

    def _finish_requests(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        """Wait for requests, not for idle connections, which would keep HAProxy up for seconds."""
        try:
            with Console(self._stats) as console:
                process.send_signal(signal.SIGUSR1)
                while b"fe=public " in console.ask(b"show sess") and time.monotonic() < deadline:
                    time.sleep(0.02)
                process.terminate()
        except OSError:
            process.send_signal(signal.SIGUSR1)

    def _replace(self, configuration: str) -> str | None:
        self._starts += 1
        mark = f"{os.getpid()}-{self._starts}"
        try:
            process = self._spawn(configuration, mark)
        except OSError as error:
            return str(error)
        if not self._serves(process, mark):
            process.kill()
            return self._reason(configuration) or f"HAProxy ended with exit code {process.wait()}"
        if self.serving is not None:
            self.draining[self.serving] = time.monotonic()
        self.serving, self.configuration = process, configuration
        return None

    def _spawn(self, configuration: str, mark: str) -> subprocess.Popen[bytes]:
        """A master with one worker: only a worker lets go of our listening sockets when it drains.

        Without a master, epoll would go on to wake it for each new connection, since we hold the
        sockets open. The worker ends when its master does.
        """
        running = [*self.draining, *([self.serving] if self.serving else [])]
        finish = ["-sf", *(str(process.pid) for process in running)] if running else []
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._program, "-W", "-q", "-f", self._file(configuration), *finish],
                env=self._environment(mark),
                pass_fds=self._descriptors(),
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # a signal to our group must not cut requests short
                preexec_fn=_die_with(os.getpid()),
            )

    def _reason(self, configuration: str) -> str | None:
        """What HAProxy has against a configuration."""
        try:
            result = subprocess.run(
                [self._program, "-c", "-f", self._file(configuration)],
                capture_output=True,
                timeout=_CHECK_PATIENCE_S,
                check=False,
                env=self._environment("check"),
                pass_fds=self._descriptors(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return None if result.returncode == 0 else _alerts(result.stderr.decode(errors="replace"))

    def _serves(self, process: subprocess.Popen[bytes], mark: str) -> bool:
        """Wait until the process answers on the stats socket; False if it ends or is too slow."""
        deadline = time.monotonic() + _START_PATIENCE_S
        own = f"description: {mark}\n".encode()
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), Console(self._stats) as console:
                if own in console.ask(b"show info"):
                    return True
            time.sleep(0.003)
        return False

    def _file(self, configuration: str) -> str:
        return str(self._configurations / configuration / "haproxy.cfg")

    def _descriptors(self) -> list[int]:
        listening = [listener.fileno() for listener in self.listeners.values()]
        return [*listening, *self._outputs.values()]

    def _environment(self, mark: str) -> dict[str, str]:
        descriptors = {name: str(listener.fileno()) for name, listener in self.listeners.items()}
        descriptors |= {name: str(number) for name, number in self._outputs.items()}
        return {"LZ_START": mark, **descriptors}


class Console:
    """A session on HAProxy's stats socket; it outlasts the socket while HAProxy drains."""

    def __init__(self, path: str) -> None:
        """Raises OSError if nobody listens there."""
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(_ANSWER_PATIENCE_S)
            self._socket.connect(path)
            self._socket.sendall(b"prompt\n")
            self._read_answer()
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Console:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the session."""
        self.close()

    def close(self) -> None:
        """End the session; HAProxy does not end before its sessions do."""
        self._socket.close()

    def hand_on(self) -> None:
        """Have HAProxy send what still comes to it to its successor, which serves already.

        Waits until it has let go of its listening sockets, or has ended.
        """
        deadline = time.monotonic() + _ANSWER_PATIENCE_S
        with contextlib.suppress(OSError):
            self.ask(MARK)
            while b"\nStopping: 1" not in self.ask(b"show info"):
                if time.monotonic() > deadline:
                    return
                time.sleep(0.002)

    def ask(self, command: bytes) -> bytes:
        """The answer to one command; raises OSError when HAProxy has gone."""
        self._socket.sendall(command + b"\n")
        return self._read_answer()

    def _read_answer(self) -> bytes:
        answer = b""
        while not answer.endswith(b"\n> "):
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError("HAProxy closed its stats socket")
            answer += data
        return answer


def _open_console(path: str) -> Console | None:
    try:
        return Console(path)
    except OSError:
        return None


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
    process.kill()
    process.wait()


def _alerts(said: str) -> str:
    """What is wrong, out of all that HAProxy says; all of it if no line is marked."""
    alerts = [line for line in said.splitlines() if line.startswith("[ALERT]")]
    return "\n".join(alerts) or said.strip()


def _die_with(parent: int) -> Callable[[], None]:
    """Makes a child die at once when this process does, however it ends (Linux)."""
    library = ctypes.CDLL(None)

    def before_exec() -> None:
        if hasattr(library, "prctl"):
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
