"""Whether the packages of an environment can be had together: uv resolves, and installs nothing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

from lazulite.environments.diagnosis import UNREACHABLE, Diagnosis, diagnose
from lazulite.environments.indexes import installer_environment, read_pip_settings, uv_flags
from lazulite.environments.plan import Plan
from lazulite.environments.venv import UV_OLDEST, uv_binary

LIMIT_S = 120.0
_SOURCE = re.compile(r"Wheels are required for `([^`]+)` because building from source is disabled")


class UnresolvedError(Exception):
    """Whether they can be had was not found out; the message says why."""


def resolve(plan: Plan, env: Mapping[str, str]) -> Diagnosis | None:
    """Why the plan's packages cannot be had together; None if they can. Asks the package index.

    Runs no code of packages. Raises UnresolvedError if the index does not answer, if the Python is
    too old to be asked for, and if something would have to be built from source.
    """
    if not plan.packages:
        return None
    if plan.interpreter.version < UV_OLDEST:
        raise UnresolvedError(f"packages for Python {plan.interpreter.number} are not looked up")
    settings = read_pip_settings(env)
    options = ["--quiet", "--no-header", "--no-annotate", "--no-build", "--color", "never"]
    command = [uv_binary(), "pip", "compile", *options, *uv_flags(env, settings), "-"]
    try:
        found = subprocess.run(
            [*command, "--python", str(plan.interpreter.path)],
            input="".join(f"{package.text}\n" for package in plan.packages),
            env=installer_environment(env, settings),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnresolvedError(f"there was no result after {LIMIT_S:g} s") from error
    if found.returncode == 0:
        return None
    if found_source := sorted(set(_SOURCE.findall(found.stderr))):
        names = ", ".join(found_source)
        number = plan.interpreter.number
        raise UnresolvedError(f"{names} would be built from source: no wheel fits Python {number}")
    failure = diagnose(found.stderr.splitlines(), plan)
    if failure.code == UNREACHABLE:
        raise UnresolvedError(failure.reason)
    return failure
