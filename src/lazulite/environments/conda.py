"""Makes environments of conda packages, with the pip section on top."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import lazulite
from lazulite.core.errors import SpecError
from lazulite.environments import venv
from lazulite.environments.interpreters import Interpreter, probe_interpreter
from lazulite.environments.plan import Plan
from lazulite.store.files import read_json

PACKAGES = "conda-packages"
"""The folder, beside the environments, of what was downloaded; environments are linked to it."""


def is_available() -> bool:
    """Whether the library that solves is installed: the extra `conda`."""
    return importlib.util.find_spec("rattler") is not None


def install(plan: Plan, prefix: Path, installer: venv.Installer) -> dict[str, Any]:
    """Make the prefix; returns how processes start: its "python".

    Raises SpecError naming the line that cannot be met, and CalledProcessError.
    """
    if plan.conda is None:
        raise ValueError("a plan for conda has conda's packages")
    prefix.mkdir()
    spec = prefix / "conda.json"
    asked = {
        "channels": plan.conda.channels,
        "specs": plan.conda.specs,
        "prefix": str(prefix),
        "cache": str(prefix.parent / PACKAGES),
    }
    spec.write_text(json.dumps(asked))
    installer.say(f"channels: {', '.join(plan.conda.channels)}")
    _solve(spec, installer)
    python = Path(venv.python_of(prefix))
    if plan.packages:
        # The prefix's Python runs code of conda's packages at every start, also for uv.
        confined = dataclasses.replace(installer, run=installer.run_foreign)
        own = dataclasses.replace(plan, interpreter=_interpreter(python, confined))
        venv.add_packages(own, prefix, confined)
    return {"python": str(python)}


def _solve(spec: Path, installer: venv.Installer) -> None:
    env = {**installer.env, "PYTHONPATH": str(Path(lazulite.__file__).parents[1])}
    try:
        installer.run([sys.executable, "-m", "lazulite.environments.conda_solve", str(spec)], env)
    except subprocess.CalledProcessError as error:
        failure = read_json(spec.with_name("failure.json")) or {
            "code": "CondaInstallFailed",
            "message": f"solving and linking ended with exit code {error.returncode}: see the log",
        }
        raise SpecError(failure["code"], failure["message"], target="condaFile") from None


def _interpreter(python: Path, installer: venv.Installer) -> Interpreter:
    found = probe_interpreter(python, installer.run)
    if found is None:
        raise SpecError("PythonMissing", f"the conda packages have no Python that runs: {python}")
    return found
