"""The build task: `python -m lazulite.environments.build SPEC`, one environment from its plan.

Whoever holds the lock of a hash builds it, at its final place, because a venv cannot be moved.
`ready.json` in it, written last and durably, is what makes it an environment: a folder without it
is what a killed build left, and the next builder wipes it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from lazulite.core.errors import SpecError
from lazulite.environments import conda, docker_image, venv
from lazulite.environments.build_log import BuildLog
from lazulite.environments.build_sandbox import confined
from lazulite.environments.diagnosis import (
    BUILD_FAILED,
    OTHER,
    UNSOLVABLE,
    Diagnosis,
    diagnose,
    pinned_version,
    versions_remedy,
)
from lazulite.environments.indexes import installer_environment, read_pip_settings, uv_flags
from lazulite.environments.places import Places
from lazulite.environments.plan import Package, Plan, from_json
from lazulite.environments.selection import CONDA, DOCKER, VENV
from lazulite.executors.launch import Sandbox
from lazulite.store.files import locked, read_json, write_json

LIMIT_S = 3600  # of one build; an endless resolver must not hold its lock for ever
_NICE = 19

PROVIDERS: Mapping[str, Callable[[Plan, Path, venv.Installer], dict[str, Any]]] = {
    VENV: venv.make,
    CONDA: conda.install,
    DOCKER: docker_image.install,
}
"""What builds a plan's prefix, by the plan's provider; returns how processes are started in it."""


def main(spec: Path, environ: Mapping[str, str]) -> int:
    """Build what the spec says, unless it is there or has failed already; 0 if it is there.

    Of many builders of one hash, one works; the others wait and see its result.
    """
    value = read_json(spec)
    plan, places = from_json(value), Places(Path(value["root"]), value["hash"])
    places.root.mkdir(parents=True, exist_ok=True)
    with locked(places.lock) as lock:
        if places.start() is not None:
            return 0
        if read_json(places.failed) is not None:
            return 1
        with BuildLog.opened(places.log) as log:
            settings = read_pip_settings(environ)
            run = partial(log.run, hold=lock)
            sandbox = Sandbox.from_json(value.get("sandbox"))
            installer = venv.Installer(
                run=run,
                confined=confined(run, sandbox, (plan.interpreter.path, places.prefix), environ),
                say=log.say,
                env=installer_environment(environ, settings),
                uv_flags=uv_flags(environ, settings),
            )
            failure = _build(plan, places, installer)
            if failure is None and plan.provider != DOCKER:
                _make_faster(places, installer)
    return 0 if failure is None else 1


def _build(plan: Plan, places: Places, installer: venv.Installer) -> Diagnosis | None:
    """Build and publish; returns why it failed. Leaves either an environment or nothing."""
    with places.attempts.open("a") as attempts:
        attempts.write(f"{os.getpid()}\n")
    started = time.monotonic()
    _say_head(plan, installer.say)
    shutil.rmtree(places.prefix, ignore_errors=True)
    try:
        with _limited(LIMIT_S):
            start = PROVIDERS[plan.provider](plan, places.prefix, installer)
        _publish(plan, places, start, time.monotonic() - started)
    except (subprocess.CalledProcessError, SpecError, OSError) as error:
        failure = _explain(error, plan, installer)
        shutil.rmtree(places.prefix, ignore_errors=True)
        installer.say(f"failed: {failure.reason}. {failure.remedy}")
        write_json(places.failed, dataclasses.asdict(failure))
        return failure
    finally:
        places.attempts.unlink(missing_ok=True)
    installer.say(f"ready after {time.monotonic() - started:.1f} s")
    return None


def _publish(plan: Plan, places: Places, start: dict[str, Any], seconds: float) -> None:
    """Make the prefix an environment: first its files reach the disk, then the marker does."""
    os.sync()
    write_json(
        places.ready,
        {
            "hash": places.hash,
            "provider": plan.provider,
            "python": plan.interpreter.number,
            "packages": _installed(Path(start["python"]).parent.parent, places.prefix),
            "seconds": round(seconds, 1),
            "start": start,
        },
    )


def _installed(home: Path, prefix: Path) -> list[str]:
    """The packages of a Python's home, as name==version; none if it is not within the prefix."""
    if not home.is_relative_to(prefix):
        return []
    infos = home.glob("lib/python*/site-packages/*-*.*-info")
    names = (re.sub(r"(-py3\.\d+)?\.(dist|egg)-info$", "", info.name) for info in infos)
    return sorted(name.replace("-", "==", 1) for name in names)


def _explain(error: Exception, plan: Plan, installer: venv.Installer) -> Diagnosis:
    """Why the build failed and, where that can be found out, which versions would work."""
    if isinstance(error, SpecError):
        return Diagnosis(error.code, error.message.rstrip("."))
    if not isinstance(error, subprocess.CalledProcessError):
        return diagnose([str(error)], plan)
    failure = diagnose((error.output or "").splitlines(), plan)
    if failure.code == OTHER and not error.output:
        return dataclasses.replace(failure, reason=f"the installer ended with {error.returncode}")
    return _with_remedy(failure, plan, installer)


def _with_remedy(failure: Diagnosis, plan: Plan, installer: venv.Installer) -> Diagnosis:
    blamed = [package for package in plan.packages if package.text in failure.culprits]
    if failure.code not in {UNSOLVABLE, BUILD_FAILED} or not blamed or plan.provider != VENV:
        return failure
    hints = [failure.remedy] if failure.remedy else []
    if len(blamed) > 1:
        hints.append("These lines exclude each other: loosen the version in one of them.")
    else:
        hints.insert(0, _what_fits(blamed[0], plan, installer))
    return dataclasses.replace(failure, remedy=" ".join(hints))


def _what_fits(package: Package, plan: Plan, installer: venv.Installer) -> str:
    installer.say(f"looking for versions of {package.name} that fit ...")
    pin = pinned_version(package.text)
    python = plan.interpreter.path
    lowest = venv.what_fits(package.name, pin, python, installer) if pin else None
    newest = venv.what_fits(package.name, None, python, installer)
    return versions_remedy(package, lowest, newest, plan.interpreter.number)


def _make_faster(places: Places, installer: venv.Installer) -> None:
    """Compile after publication and at the lowest priority: nobody has to wait for it."""
    os.nice(_NICE)
    with suppress(subprocess.CalledProcessError):
        venv.compile_modules(places.prefix, installer)


def _say_head(plan: Plan, say: Callable[[str], None]) -> None:
    if plan.provider == VENV:
        say(f"building with Python {plan.interpreter.number} ({plan.interpreter.path})")
    for note in plan.notes:
        say(f"note: {note}")
    for package in plan.packages:
        say(f"  {package.text}  ({package.place})")


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Raise SpecError in the block once the time is over."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise SpecError(
            "EnvironmentBuildTimedOut",
            f"the build took over {seconds} s. Pin more versions, so that less has to be tried.",
        )

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), os.environ))
