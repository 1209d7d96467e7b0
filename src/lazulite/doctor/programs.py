"""What else must be installed, or helps: interpreters, installers, sandboxes, engines."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lazulite.core.errors import LazuliteError
from lazulite.core.settings import Settings
from lazulite.doctor.finding import Finding, Status
from lazulite.environments.indexes import installer_environment, read_pip_settings, uv_flags
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.environments.venv import uv_binary
from lazulite.environments.written import without_credentials
from lazulite.executors.container_engine import Engine, EngineError, find_engine
from lazulite.executors.isolation import isolation
from lazulite.serving.front_door import find_haproxy

LIMIT_S = 10.0
OLD = (3, 8)
"""Environments of older articles ask for it, and for what comes before."""


def interpreters(env: Mapping[str, str]) -> Finding:
    """The Pythons that environments can be built on."""
    found = [each.number for each in Interpreters(Search.of(env, Path(sys.executable))).available()]
    is_rich = len(found) > 1
    return Finding(
        check="pythons",
        status=Status.OK if is_rich else Status.WARNING,
        found=", ".join(found) or "none",
        purpose="environments that ask for another version",
        remedy="Get more with `uv python install 3.8 3.9 3.10`.",
    )


def uv() -> Finding:
    """The installer of packages."""
    try:
        version = _output([uv_binary(), "--version"])
    except (LazuliteError, OSError, subprocess.SubprocessError) as error:
        return _missing("uv", error, "environments", "Install it with `pip install uv`.")
    return Finding(check="uv", status=Status.OK, found=version)


def packages(env: Mapping[str, str]) -> Finding:
    """Whether the package index that environments are built from answers."""
    settings = read_pip_settings(env)
    options = ["--quiet", "--no-build", "--python", sys.executable, *uv_flags(env, settings)]
    try:
        subprocess.run(
            [uv_binary(), "pip", "compile", *options, "-"],
            input="pip",
            env=installer_environment(env, settings),
            capture_output=True,
            check=True,
            text=True,
            timeout=LIMIT_S,
        )
    except (LazuliteError, OSError, subprocess.SubprocessError) as error:
        said = without_credentials(getattr(error, "stderr", "") or str(error)).strip()
        return Finding(
            check="packages",
            status=Status.WARNING,
            found=f"the package index does not answer: {said.splitlines()[-1].strip()}",
            purpose="environments with packages that no environment here has yet",
            remedy="Go online, or have PIP_INDEX_URL or pip.conf name an index within reach.",
        )
    return Finding(check="packages", status=Status.OK, found="the package index answers")


def haproxy() -> Finding:
    """The front door's engine."""
    try:
        version = _output([find_haproxy(), "-v"]).splitlines()[0]
    except (LazuliteError, OSError, subprocess.SubprocessError) as error:
        remedy = "Install HAProxy 2.8 or later and put it on PATH."
        return _missing("haproxy", error, "every request", remedy)
    return Finding(check="haproxy", status=Status.OK, found=version)


def sandboxes(settings: Settings) -> Finding:
    """What user code runs in."""
    try:
        found = isolation(settings, ())
    except LazuliteError as error:
        return _missing("bubblewrap", error, "the setting LAZULITE_ISOLATION", "")
    return Finding(
        check="bubblewrap",
        status=Status.OK if found.is_on else Status.WARNING,
        found=found.reason,
        purpose="keeping user code from the server's keys and from other models",
        remedy="Without it, deploy only code that you trust. See docs/isolation.md.",
    )


def limits() -> Finding:
    """What sets the kernel's limits on user code."""
    program = shutil.which("prlimit")
    return Finding(
        check="prlimit",
        status=Status.OK if program else Status.WARNING,
        found=program or "not on PATH",
        purpose="limits on the processes and memory of user code",
        remedy="Install util-linux.",
    )


def containers(env: Mapping[str, str]) -> Finding:
    """The container engine that a server would use, and whether it answers."""
    found = "no engine is at DOCKER_HOST (unix:// only), or at Docker's and Podman's sockets"
    if path := find_engine(env):
        try:
            Engine(path).info()
        except EngineError as error:
            found = f"the engine at {path} does not answer: {error}"
        else:
            return Finding(check="docker", status=Status.OK, found=f"an engine answers at {path}")
    return Finding(
        check="docker",
        status=Status.MISSING,
        found=found,
        purpose="environments that are images, and own containers",
        remedy="Start Docker or Podman; what has a conda file runs without.",
    )


def libraries() -> list[Finding]:
    """Optional parts of the server."""
    wanted = (
        ("conda", "rattler", "packages of conda channels", "PyPI is used in their place."),
        ("postgresql", "asyncpg", "a shared database, later", "This version keeps SQLite."),
        ("ray", "ray", "several machines, later", "This version works on one."),
    )
    return [_library(*each) for each in wanted]


def _library(check: str, module: str, purpose: str, remedy: str) -> Finding:
    is_there = importlib.util.find_spec(module) is not None
    return Finding(
        check=check,
        status=Status.OK if is_there else Status.MISSING,
        found=f"the package {module} is {'installed' if is_there else 'not installed'}",
        purpose=purpose,
        remedy=remedy,
    )


def _missing(check: str, error: Exception, purpose: str, remedy: str) -> Finding:
    message = error.message if isinstance(error, LazuliteError) else str(error)
    return Finding(
        check=check,
        status=Status.MISSING,
        found=message,
        purpose=purpose,
        remedy=remedy,
        is_needed=True,
    )


def _output(command: list[str]) -> str:
    found = subprocess.run(command, capture_output=True, check=True, text=True, timeout=LIMIT_S)
    return found.stdout.strip()
