"""Solves and installs conda packages: `python -m lazulite.environments.conda_solve <spec.json>`.

A program of its own, so that rattler, which is an extra and starts threads, is never within a
server or a build. What it prints is for the build log; why it failed is in `failure.json` beside
the spec. The one importer of rattler.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import rattler
from rattler.exceptions import (
    FetchRepoDataError,
    GatewayError,
    InvalidMatchSpecError,
    SolverError,
)

from lazulite.core.errors import SpecError

SOLVE_LIMIT = timedelta(minutes=10)
PYTHON = "python"


def main(spec: Path) -> int:
    """Make the prefix that the spec says."""
    try:
        asyncio.run(_made(json.loads(spec.read_text())))
    except SpecError as error:
        failure = {"code": error.code, "message": error.message}
        spec.with_name("failure.json").write_text(json.dumps(failure))
        return 1
    return 0


async def _made(asked: Mapping[str, Any]) -> None:
    records = await _solved(asked["channels"], asked["specs"])
    for record in records:
        _say(f"  {record.name.normalized} {record.version} ({record.channel})")
    try:
        await rattler.install(
            records,
            asked["prefix"],
            cache_dir=Path(asked["cache"]),
            show_progress=False,
            execute_link_scripts=False,
        )
    except Exception as error:  # rattler has an exception of its own for each step
        raise SpecError("CondaInstallFailed", f"{error}") from error


async def _solved(
    channels: Sequence[str], specs: Sequence[Sequence[str]]
) -> list[rattler.RepoDataRecord]:
    """The packages that meet the specs. Raises SpecError."""
    wanted = [_spec(text, place) for text, place in specs]
    if not any(spec.name is not None and str(spec.name.normalized) == PYTHON for spec in wanted):
        wanted.append(rattler.MatchSpec(PYTHON))
    try:
        return await rattler.solve(
            list(channels),
            wanted,
            virtual_packages=rattler.VirtualPackage.detect(),
            timeout=SOLVE_LIMIT,
        )
    except SolverError as error:
        lines = "; ".join(
            f"{place}: {text!r}" for text, place in specs if _name(text) in f"{error}"
        )
        blamed = f"{lines}: " if lines else ""
        raise SpecError("UnsolvableEnvironment", f"{blamed}{_plain(error)}") from error
    except (GatewayError, FetchRepoDataError) as error:
        message = f"{_plain(error)}. See that {', '.join(channels)} can be reached from here."
        raise SpecError("CondaChannelUnreachable", message) from error


def _spec(text: str, place: str) -> rattler.MatchSpec:
    try:
        return rattler.MatchSpec(text)
    except InvalidMatchSpecError as error:
        raise SpecError("InvalidCondaFile", f"{place}: {text!r}: {_plain(error)}") from error


def _name(text: str) -> str:
    name = text.rpartition("::")[2]
    return name.replace("=", " ").replace("<", " ").replace(">", " ").split()[0]


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:1500]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the build log


if __name__ == "__main__":
    # rattler's threads still let go of Python objects when Python is being taken down, and crash.
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(code)
