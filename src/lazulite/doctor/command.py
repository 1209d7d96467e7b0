"""`lazulite doctor`: the machine without a file; with one, whether that deployment can work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.connection import read_server
from lazulite.cli.errors import CommandError
from lazulite.cli.main import open_workspace
from lazulite.cli.report import Report
from lazulite.cli.workspace import Workspace
from lazulite.core.settings import Settings, read_settings
from lazulite.doctor import machine, programs, trust
from lazulite.doctor.deployment import Preflight
from lazulite.doctor.finding import Finding


def diagnose(
    file: str | None, data_dir: str | None, environ: Mapping[str, str]
) -> list[dict[str, Any]]:
    """All findings, as JSON has them; nothing is changed, and of others only a package index asked.

    Works with and without a running server.
    """
    settings = read_settings(environ, data_dir=data_dir)
    server = _running(settings.data_dir)
    if file is None:
        return [found.to_json() for found in _of_the_machine(settings, environ, server)]
    workspace = _workspace(settings.data_dir, environ) if server else None
    preflight = Preflight(Path(file), settings, environ, workspace)
    try:
        return [found.to_json() for found in preflight.findings()]
    finally:
        if workspace is not None:
            workspace.http.close()


def _of_the_machine(
    settings: Settings, env: Mapping[str, str], server: dict[str, Any] | None
) -> Iterator[Finding]:
    """At the same time, as most of them wait for other programs."""
    checks = (
        partial(trust.answer, server),
        partial(machine.ports, settings, server),
        partial(machine.disk, settings.data_dir),
        machine.memory,
        partial(machine.clock, settings.data_dir),
        partial(trust.certificate, settings.data_dir, datetime.now(UTC)),
        partial(trust.trust, env, server),
        partial(programs.interpreters, env),
        programs.uv,
        partial(programs.packages, env),
        programs.haproxy,
        partial(programs.sandboxes, settings),
        programs.limits,
        partial(programs.containers, env),
        programs.libraries,
    )
    with ThreadPoolExecutor() as pool:
        for found in pool.map(lambda check: check(), checks):
            yield from found if isinstance(found, list) else (found,)


def _running(data: Path) -> dict[str, Any] | None:
    """What the server wrote of itself, if it runs."""
    found = read_server(data)
    try:
        os.kill(int(found["pid"]), 0)
    except (KeyError, ProcessLookupError):
        return None
    except PermissionError:
        return found
    return found


def _workspace(data: Path, env: Mapping[str, str]) -> Workspace | None:
    try:
        return open_workspace(Arguments(data_dir=str(data)), env, Report(quiet=True))
    except CommandError:
        return None
