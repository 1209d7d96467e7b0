"""The server's own commands: up, down, status, env."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from lazulite.app.client_environment import client_variables
from lazulite.app.layout import Layout
from lazulite.app.running import AlreadyRunningError, holder, read_state, stop_tasks
from lazulite.core.errors import LazuliteError
from lazulite.core.settings import Settings, read_settings, run_folder
from lazulite.core.shells import shell_lines
from lazulite.environments.providers import EnvironmentProviders
from lazulite.executors.container_engine import find_engine
from lazulite.executors.local import LocalExecutor
from lazulite.executors.passing import passed_on

SERVING = "lazulite.app.lifecycle"
"""The server with all that it imports, which other commands do not wait for."""
NOT_ISOLATED = (
    "WARNING: scripts of deployments and jobs run as this user, WITHOUT ISOLATION ({reason}): they "
    "can read this server's keys and data. Deploy only code that you trust; see docs/isolation.md."
)
START_PATIENCE_S = 60.0
STOP_PATIENCE_S = 60.0


class NotRunningError(LazuliteError):
    """No server is there to talk to."""


def up(detach: bool = False, **kwargs: Any) -> None:
    """Run the server until Ctrl-C; detach, or LAZULITE_DETACH=1: return once it is ready.

    Raises AlreadyRunningError on a data folder that has a server.
    """
    settings, layout = _layout(kwargs)
    layout.make()
    _tell(f"Starting on {layout.data} ...")
    if detach or os.environ.get("LAZULITE_DETACH") == "1":
        _start_detached(layout, kwargs)
        return
    level = settings.log_level.upper()
    logging.basicConfig(level=level, format=LOG_FORMAT, force=True)  # knack has its own, on debug
    import_module(SERVING).serve(settings, layout, os.environ, _announce)


def down(**kwargs: Any) -> dict[str, Any]:
    """Stop the server and everything it started, also what a killed one left behind."""
    _, layout = _layout(kwargs)
    pid = holder(layout)
    if pid is not None and pid > 0:
        _tell("Stopping ...")
        os.kill(pid, signal.SIGTERM)
        complaint = f"The server (pid {pid}) did not stop: see {layout.log}."
        _wait(lambda: holder(layout) is None and not _runs(pid), STOP_PATIENCE_S, complaint)
    elif layout.data.is_dir():
        executor = LocalExecutor(layout.folder("tasks"), passed_on(os.environ))
        asyncio.run(stop_tasks(executor))
        providers = EnvironmentProviders(engine=find_engine(os.environ), owner=str(layout.data))
        providers.sweep(layout.folder("environments"))
        layout.state.unlink(missing_ok=True)
    return {"status": "stopped", "dataDir": str(layout.data)}


def status(**kwargs: Any) -> dict[str, Any]:
    """Whether the server runs, and where."""
    _, layout = _layout(kwargs)
    pid, found = holder(layout) if layout.data.is_dir() else None, read_state(layout)
    if pid is None or found is None:
        return {"status": "stopped" if pid is None else "starting", "dataDir": str(layout.data)}
    executor = LocalExecutor(layout.folder("tasks"), {})
    shown = {key: found[key] for key in ("pid", "url", "http_url", "workspace")}
    shown |= {"isolation": found.get("isolation")}  # a server of an older version said nothing
    return {"status": "running", **shown, "dataDir": str(layout.data), "tasks": executor.names()}


def env(shell: str = "bash", **kwargs: Any) -> None:
    """Print what points a shell's clients at the running server: bash, fish or powershell.

    Raises NotRunningError if none is ready.
    """
    _, layout = _layout(kwargs)
    found = read_state(layout)
    if found is None or holder(layout) is None:
        message = f"No server is running on {str(layout.data)!r}: start one with `lazulite up`."
        raise NotRunningError("ServerNotFound", message)
    credentials = json.loads((layout.data / "credentials.json").read_bytes())
    variables = client_variables(found, credentials, str(layout.data))
    print("\n".join(shell_lines(variables, shell)))


LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def _layout(options: dict[str, Any]) -> tuple[Settings, Layout]:
    settings = read_settings(os.environ, **options)
    # Without links: paths of user code below it are held to have none.
    return settings, Layout(
        settings.data_dir.resolve(), run_folder(settings, os.environ, os.getuid())
    )


def _announce(state: Mapping[str, Any]) -> None:
    """Say where the server is; and nobody shall learn from a loss that there was no sandbox."""
    url, http_url, isolation = state["url"], state["http_url"], state["isolation"]
    print(f"Lazulite is ready: {url} (and {http_url} on this machine)", flush=True)
    if isolation["level"] == "none":
        print(NOT_ISOLATED.format(reason=isolation["reason"]), file=sys.stderr, flush=True)


def _tell(text: str) -> None:
    """For a person who waits at a terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def _start_detached(layout: Layout, options: dict[str, Any]) -> None:
    """Start the server in a session of its own, and wait until it answers."""
    if (pid := holder(layout)) is not None:
        raise AlreadyRunningError(layout.data, str(pid))
    chosen = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in options.items()
        if value is not None
    ]
    layout.state.unlink(missing_ok=True)
    with layout.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lazulite", "up", *chosen],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "LAZULITE_DETACH": "0"},
            start_new_session=True,
        )
    try:
        _wait(
            lambda: read_state(layout) is not None or process.poll() is not None,
            START_PATIENCE_S,
            f"The server did not become ready: see {layout.log}.",
        )
    except KeyboardInterrupt:
        _tell("\nThe server goes on starting: see `lazulite status`, stop it with `lazulite down`.")
        raise
    if (found := read_state(layout)) is None:
        last = layout.log.read_text(errors="replace").strip().splitlines()[-1:]
        said = " ".join(last).removeprefix("ERROR: ")
        raise LazuliteError("NotStarted", f"The server did not start: {said}")
    process.returncode = 0  # it lives on: nobody waits for it
    _announce(found)


def _runs(pid: int) -> bool:
    """Whether a process is there; one that has ended and awaits its parent is not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except ProcessLookupError:
        return False
    except OSError:
        return not Path("/proc/self").exists()


def _wait(is_done: Any, patience_s: float, complaint: str) -> None:
    deadline = time.monotonic() + patience_s
    while not is_done():
        if time.monotonic() > deadline:
            raise LazuliteError("TimedOut", complaint)
        time.sleep(0.02)
