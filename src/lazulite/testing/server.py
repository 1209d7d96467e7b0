"""A server in a process of its own, for as long as tests run."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lazulite.core.errors import LazuliteError

START_PATIENCE_S = 120.0
STOP_PATIENCE_S = 60.0


@dataclasses.dataclass(frozen=True)
class RunningServer:
    """A server that answers."""

    data_dir: Path
    process: subprocess.Popen[bytes]
    state: Mapping[str, Any]
    """What it wrote into server.json."""
    credentials: Mapping[str, str]
    """Its administrator's."""


def start(
    data_dir: Path, options: Sequence[str], environ: Mapping[str, str], log: Path
) -> RunningServer:
    """Start a server on free ports; returns once it is ready.

    options: more of `lazulite up`; log: where its output goes. Raises LazuliteError with its last
    words if it ends, and after two minutes; a server that has the folder goes on undisturbed.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    environ = {**environ, "LAZULITE_DETACH": "0"}
    ports = ("--port=0", "--http-port=0")
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command("up", data_dir, *ports, *options),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
        )
    try:
        state = _ready(process, data_dir, log)
    except BaseException:
        process.kill()
        process.wait()
        _sweep(data_dir, environ)
        raise
    credentials = json.loads((data_dir / "credentials.json").read_bytes())
    return RunningServer(data_dir, process, state, credentials)


def _ready(process: subprocess.Popen[bytes], data_dir: Path, log: Path) -> dict[str, Any]:
    """What the process wrote into server.json; that of another server does not count."""
    deadline = time.monotonic() + START_PATIENCE_S
    while True:
        with contextlib.suppress(FileNotFoundError):
            state: dict[str, Any] = json.loads((data_dir / "server.json").read_bytes())
            if state["pid"] == process.pid:
                return state
        if process.poll() is not None or time.monotonic() > deadline:
            last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-5:])
            raise LazuliteError("NotStarted", f"The server did not start: {last}")
        time.sleep(0.02)


def stop(server: RunningServer) -> None:
    """Stop it and all that it started; harmless if it has ended."""
    with contextlib.suppress(ProcessLookupError):
        server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(STOP_PATIENCE_S)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
    _sweep(server.data_dir, os.environ)


def _sweep(data_dir: Path, environ: Mapping[str, str]) -> None:
    """Stop what a server left behind, unless another one has the folder by now."""
    ask = _command("status", data_dir, "--output=json")
    told = subprocess.run(ask, env=environ, capture_output=True, check=False).stdout
    if told and json.loads(told)["status"] == "stopped":
        command = _command("down", data_dir)
        subprocess.run(command, env=environ, capture_output=True, check=False)


def _command(name: str, data_dir: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "lazulite", name, f"--data-dir={data_dir}", *options]


@contextlib.contextmanager
def running(data_dir: Path, options: Sequence[str], log: Path) -> Iterator[RunningServer]:
    """A server for the length of a block."""
    server = start(data_dir, options, os.environ, log)
    try:
        yield server
    finally:
        stop(server)
