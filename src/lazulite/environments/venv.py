"""Builds a venv with uv; for Python 3.6 and 3.7, which uv just tolerates, pip is a second try.

pip is not the first try there: of `azureml-defaults` on 3.6 its resolver finds no end in 9 minutes,
uv installs it in half a minute.

The one importer of uv.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import uv

from lazulite.core.errors import SpecError
from lazulite.environments.build_sandbox import Run, cache_of
from lazulite.environments.diagnosis import BUILD_FAILED, DISK_FULL, OTHER, UNREACHABLE, diagnose
from lazulite.environments.plan import Plan
from lazulite.environments.requirement import Option

UV_OLDEST = (3, 8)
LOOKUP_LIMIT_S = 60
LAST_PIP = {(3, 6): "21.3.1", (3, 7): "24.0"}
"""The last pip for these Pythons; the ones they bundle do not know manylinux2014 wheels."""

_SELDOM_IMPORTED = "/site-packages/(pip|setuptools|wheel)/"


@dataclasses.dataclass(frozen=True)
class Installer:
    """What builds use: how to run programs, and their environment and flags."""

    run: Run
    say: Callable[[str], None]
    env: Mapping[str, str]
    uv_flags: tuple[str, ...] = ()
    confined: Run | None = None
    """Runs programs that run code of packages; None: there is no sandbox, and run does."""

    def run_foreign(self, command: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """Run a program that runs code of packages. Raises as run does."""
        return (self.confined or self.run)(command, env)


def install(plan: Plan, prefix: Path, installer: Installer) -> None:
    """Build the plan's venv at the prefix, which must not exist; it cannot be moved later.

    Raises CalledProcessError with the installer's output if a package cannot be installed.
    """
    try:
        _install_with_uv(plan, prefix, installer)
    except subprocess.CalledProcessError as error:
        failure = diagnose((error.output or "").splitlines(), plan)
        if plan.interpreter.version >= UV_OLDEST or failure.code not in {BUILD_FAILED, OTHER}:
            raise
        installer.say(f"note: {failure.reason}; trying again with this Python's own venv and pip")
        shutil.rmtree(prefix, ignore_errors=True)
        install_with_pip(plan, prefix, installer)


def make(plan: Plan, prefix: Path, installer: Installer) -> dict[str, Any]:
    """As install(); returns how processes start: its "python"."""
    install(plan, prefix, installer)
    return {"python": python_of(prefix)}


def add_packages(plan: Plan, prefix: Path, installer: Installer) -> None:
    """Install the plan's packages into a prefix that has a Python. Raises CalledProcessError."""
    options = [*installer.uv_flags, *_for_uv(plan.options)]
    lines = _requirements_file(plan, prefix)
    command = [*_uv_install(prefix), *options, "--requirement", lines]
    _install_packages(command, plan, prefix, installer)


def compile_modules(prefix: Path, installer: Installer) -> None:
    """Write the bytecode of the packages, as pip does and uv does not; imports get faster.

    May run while the environment is in use, and may be cut short.
    """
    quietly = {**installer.env, "PYTHONWARNINGS": "ignore"}
    compile_all = [python_of(prefix), "-m", "compileall", "-qq", "-x", _SELDOM_IMPORTED]
    installer.run_foreign([*compile_all, str(prefix / "lib")], quietly)


def what_fits(name: str, floor: str | None, python: Path, installer: Installer) -> str | None:
    """A version of a package that has a wheel for the Python; None if uv finds none.

    floor: then the lowest version from this one on; otherwise the newest of all.
    """
    options = ["--no-deps", "--only-binary", ":all:", "--no-header", "--no-annotate", "--quiet"]
    if floor:
        options += ["--resolution", "lowest"]
    command = [uv_binary(), "pip", "compile", "--python", str(python), *options, "-"]
    try:
        answer = subprocess.run(
            [*command, *installer.uv_flags],
            input=f"{name}>={floor}" if floor else name,
            capture_output=True,
            check=True,
            text=True,
            timeout=LOOKUP_LIMIT_S,
            env=dict(installer.env),
        )
    except subprocess.SubprocessError:
        return None
    found = re.search(rf"^{re.escape(name)}==(\S+)", answer.stdout, re.MULTILINE)
    return found[1] if found else None


def python_of(prefix: Path) -> str:
    """The prefix's Python."""
    return str(prefix / "bin/python")


def uv_binary() -> str:
    """The path of uv. Raises SpecError if the server was installed without it."""
    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise SpecError(
            "InstallerMissing", f"{error}. Install it with `pip install uv` and try again."
        ) from error


def _install_with_uv(plan: Plan, prefix: Path, installer: Installer) -> None:
    create = [uv_binary(), "venv", "--quiet", "--no-project", "--python"]
    installer.run([*create, str(plan.interpreter.path), str(prefix)], installer.env)
    install = _uv_install(prefix)
    if (bundled := plan.interpreter.bundled) is not None:
        # What conda's python brings along, and old packages import unasked (pkg_resources).
        wheels = sorted({wheel.name.partition("-")[0] for wheel in bundled.glob("*.whl")})
        source = ["--quiet", "--offline", "--no-index", "--find-links", str(bundled)]
        installer.run([*install, *source, *wheels], installer.env)
    else:
        installer.say("note: this Python comes without pip, so the environment has none")
    if plan.packages:
        add_packages(plan, prefix, installer)


def _install_packages(
    command: Sequence[str], plan: Plan, prefix: Path, installer: Installer
) -> None:
    """Wheels alone, if there are some that fit, as that runs no code; else in the sandbox."""
    if installer.confined is None:
        installer.run(command, installer.env)
        return
    try:
        installer.run([*command, "--no-build"], installer.env)
    except subprocess.CalledProcessError as error:
        if diagnose((error.output or "").splitlines(), plan).code in {UNREACHABLE, DISK_FULL}:
            raise
        installer.say("note: wheels alone will not do; trying again in a sandbox, with builds")
        installer.confined(command, installer.env)
    finally:
        shutil.rmtree(cache_of(prefix), ignore_errors=True)


def _uv_install(prefix: Path) -> list[str]:
    install = [uv_binary(), "pip", "install", "--no-progress", "--color", "never"]
    return [*install, "--python", python_of(prefix)]


def install_with_pip(plan: Plan, prefix: Path, installer: Installer) -> None:
    """As install(), with the interpreter's own venv and pip."""
    installer.run([str(plan.interpreter.path), "-m", "venv", str(prefix)], installer.env)
    pip = [python_of(prefix), "-m", "pip", "install", "--progress-bar", "off"]
    try:
        if version := LAST_PIP.get(plan.interpreter.version[:2]):
            installer.run_foreign([*pip, "--quiet", f"pip=={version}"], installer.env)
    except subprocess.CalledProcessError:
        installer.say("note: pip could not be brought up to date; going on with the bundled one")
    options = [word for option in plan.options for word in (option.name, option.value) if word]
    lines = _requirements_file(plan, prefix)
    installer.run_foreign([*pip, *options, "--requirement", lines], installer.env)


def _requirements_file(plan: Plan, prefix: Path) -> str:
    path = prefix / "requirements.txt"
    path.write_text("".join(f"{package.text}\n" for package in plan.packages))
    return str(path)


def _for_uv(options: Iterable[Option]) -> list[str]:
    """Options of pip in uv's words."""
    words: list[str] = []
    for option in options:
        match option.name:
            case "--pre":
                words += ["--prerelease", "allow"]
            case "--prefer-binary":
                pass  # uv has no such option; it prefers wheels of the version it chose
            case "--only-binary" | "--no-binary":
                words += [part for name in option.value.split(",") for part in (option.name, name)]
            case "--index-url":
                words += ["--default-index", option.value]
            case "--extra-index-url":
                words += ["--index", option.value]
            case _:
                words += [option.name, option.value]
    # pip looks at all indexes; uv would stop at the first that has the name.
    return [*words, "--index-strategy", "unsafe-best-match"] if "--index" in words else words
