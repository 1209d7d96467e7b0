"""Environments by content hash: asks for builds, and says how far they are."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from lazulite.core.errors import SpecError
from lazulite.environments.definition import Definition
from lazulite.environments.diagnosis import OTHER, Diagnosis
from lazulite.environments.interpreters import Interpreter, PythonMissingError, homes
from lazulite.environments.known_images import with_image
from lazulite.environments.places import Places, task_name
from lazulite.environments.plan import Plan, plan_venv, to_json
from lazulite.environments.providers import EnvironmentProviders
from lazulite.environments.python_downloads import PythonDownloads
from lazulite.environments.pythons import PythonRange
from lazulite.environments.requirements import Requirements, requirements_of
from lazulite.environments.selection import CONDA, DOCKER, VENV
from lazulite.executors.launch import Sandbox
from lazulite.executors.protocol import Executor, Phase, Task
from lazulite.store.files import read_json, write_json

MAX_KILLED = 3
"""A build that was killed this often, for want of memory perhaps, has failed."""
_PATIENCE, _PAUSE_S = 50, 0.05
_CHUNK = 1 << 20  # bytes of log in one answer


@dataclasses.dataclass(frozen=True)
class Built:
    """The environment is there: start user code with its python."""

    hash: str
    python: Path
    sandbox: Sandbox
    """Where that python is found, and with it all that it needs of this machine."""


@dataclasses.dataclass(frozen=True)
class Building:
    """The build is under way, or about to start; ask again."""

    hash: str


@dataclasses.dataclass(frozen=True)
class Failed:
    """The build failed, and is not tried again before retry()."""

    hash: str
    error: SpecError


@dataclasses.dataclass(frozen=True)
class Absent:
    """Nobody has asked for the environment yet, or its build was killed."""

    hash: str


class Environments:
    """The environments of one root folder; several servers and their builds may share it."""

    def __init__(
        self,
        root: Path,
        executor: Executor,
        find: Callable[[PythonRange | None], Interpreter],
        *,
        downloads: PythonDownloads | None = None,
        providers: EnvironmentProviders | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        """root: absolute, short enough for "#!" lines; find: Interpreters(...).find.

        downloads: where to get Pythons that are not here, if at all; providers: what makes
        environments besides venvs, if anything does; sandbox: what code of packages runs in
        while it is built.
        """
        self._downloads = downloads
        self._providers = providers or EnvironmentProviders(wanted=VENV)
        self._sandbox = sandbox or Sandbox()
        self._root, self._executor, self._find = root, executor, find
        self._starting: dict[str, asyncio.Lock] = {}

    def plan(self, definition: Definition) -> Plan:
        """What the definition comes to here. Raises SpecError if it can never be built.

        Raises OutageError if the container engine has to be asked and does not answer.

        May start a Python to ask its version (about 30 ms); ensure() does so in a thread.
        """
        choice = self._providers.choose(definition)
        if choice.provider == DOCKER:
            plan = self._providers.plan_docker(definition, _platform())
        elif choice.provider == CONDA:
            plan = self._providers.plan_conda(definition, _platform())
        else:
            requirements = requirements_of(with_image(definition), self._providers.indexes)
            plan = plan_venv(requirements, self._interpreter(requirements), _platform())
        notes = (f"made with {choice.provider}: {choice.reason}", *plan.notes)
        return dataclasses.replace(plan, notes=notes)

    async def ensure(self, definition: Definition) -> Built | Building | Failed:
        """Where the definition's environment stands; starts its build unless one runs or failed.

        Returns at once, and may be called by many and after a crash: one build runs per hash. A
        build that was killed starts again. Raises SpecError if the definition can never be built,
        and OutageError if a container engine is needed and does not answer.
        """
        try:
            plan = await asyncio.to_thread(self.plan, definition)
        except PythonMissingError as missing:
            return await self._downloading(missing)
        places = Places(self._root, plan.hash)
        # forget() and the ensure() after it must not be interleaved with another caller's.
        async with self._starting.setdefault(plan.hash, asyncio.Lock()):
            if plan.provider == DOCKER:
                await asyncio.to_thread(self._providers.forget_if_gone, places)
            if found := self._outcome(plan, places):
                return found
            phase = await self._executor.observe(task_name(plan.hash))
            if phase is Phase.RUNNING:
                return Building(plan.hash)
            if found := self._outcome(plan, places):  # it may have ended in between
                return found
            if failure := self._crash(phase, places):
                write_json(places.failed, dataclasses.asdict(failure))
                return Failed(plan.hash, _error(failure, plan, places))
            if phase is not Phase.PENDING:
                await self._executor.forget(task_name(plan.hash))
            await self._start(plan)
            return Building(plan.hash)

    async def look(self, definition: Definition) -> Built | Building | Failed | Absent:
        """The same without starting or forgetting anything. Raises as ensure() does."""
        try:
            plan = await asyncio.to_thread(self.plan, definition)
        except PythonMissingError as missing:
            if self._downloads is None:
                raise
            hash_, failure = self._downloads.look(missing)
            return Failed(hash_, failure) if failure else await self._under_way(hash_)
        if found := self._outcome(plan, Places(self._root, plan.hash)):
            return found
        return await self._under_way(plan.hash)

    async def retry(self, hash_: str) -> None:
        """Let the next ensure() build again what failed. Nothing happens while a build runs.

        Waits a moment for the process that has failed to end.
        """
        places = Places(self._root, hash_)
        async with self._starting.setdefault(hash_, asyncio.Lock()):
            for _ in range(_PATIENCE if places.failed.exists() else 1):
                if await self._executor.observe(task_name(hash_)) is not Phase.RUNNING:
                    break
                await asyncio.sleep(_PAUSE_S)
            else:
                return
            places.attempts.unlink(missing_ok=True)
            places.failed.unlink(missing_ok=True)
            await self._executor.forget(task_name(hash_))

    def log(self, hash_: str, offset: int = 0) -> bytes:
        """The build log from the offset on, 1 MiB at most; grows while the build runs.

        Empty when there is nothing (yet). Lines of earlier builds of the hash stand first.
        """
        try:
            with Places(self._root, hash_).log.open("rb") as file:
                file.seek(offset)
                return file.read(_CHUNK)
        except FileNotFoundError:
            return b""

    def tail(self, hash_: str, lines: int) -> str:
        """The last lines of the build log."""
        path = Places(self._root, hash_).log
        size = path.stat().st_size if path.exists() else 0
        log = self.log(hash_, max(0, size - _CHUNK)).decode(errors="replace")
        return "\n".join(log.splitlines()[-lines:])

    async def _downloading(self, missing: PythonMissingError) -> Building | Failed:
        if self._downloads is None:
            raise missing
        hash_, error = await self._downloads.ensure(missing)
        return Failed(hash_, error) if error else Building(hash_)

    async def _under_way(self, hash_: str) -> Building | Absent:
        runs = await self._executor.observe(task_name(hash_)) is Phase.RUNNING
        return Building(hash_) if runs else Absent(hash_)

    def _interpreter(self, requirements: Requirements) -> Interpreter:
        try:
            return self._find(requirements.python)
        except PythonMissingError:
            if not requirements.is_python_a_wish:
                raise
            return self._find(None)

    def _outcome(self, plan: Plan, places: Places) -> Built | Failed | None:
        """What the files say; None while there is no result."""
        if (start := places.start()) is not None:
            os.utime(places.ready)
            sandbox = start.container or Sandbox().showing(*homes(start.python))
            return Built(plan.hash, start.python, sandbox)
        if (failure := read_json(places.failed)) is not None:
            return Failed(plan.hash, _error(Diagnosis(**failure), plan, places))
        return None

    async def _start(self, plan: Plan) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        sandbox = self._sandbox.to_json()
        spec = {**to_json(plan), "root": str(self._root), "sandbox": sandbox}
        await self._executor.ensure(
            Task(
                name=task_name(plan.hash),
                command=(sys.executable, "-m", "lazulite.environments.build", "spec.json"),
                files={"spec.json": json.dumps(spec)},
            )
        )

    def _crash(self, phase: Phase, places: Places) -> Diagnosis | None:
        """Why a build that ended without a result is not to be tried again; None if it is."""
        killed = _killed(places)
        if killed >= MAX_KILLED:
            return Diagnosis(
                "EnvironmentBuildKilled",
                f"the build was killed {killed} times",
                remedy="See whether the machine runs out of memory, then deploy again.",
            )
        if phase is not Phase.FAILED or killed:
            return None
        log = self._executor.folder(task_name(places.hash)) / "log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        last = f": {lines[-1]}" if lines else ""
        return Diagnosis(OTHER, f"the build ended without a result{last}", tail=tuple(lines[-15:]))


def _error(failure: Diagnosis, plan: Plan, places: Places) -> SpecError:
    """The failure for whoever asked: with the lines of their own definition."""
    blamed = [package for package in plan.packages if package.text in failure.culprits]
    lines = [f"{package.place}: {package.written!r}" for package in blamed]
    what = f"{'; '.join(lines)}: {failure.reason}" if lines else failure.reason
    message = f"The environment cannot be built. {what}. {failure.remedy}".rstrip()
    details = [SpecError(failure.code, line) for line in lines]
    if failure.tail:
        details.append(SpecError(failure.code, "\n".join(failure.tail), target="buildLog"))
    return SpecError(
        failure.code, f"{message} Log: {places.log}", target="condaFile", details=details
    )


def _killed(places: Places) -> int:
    """How many builds began and came to no end."""
    try:
        return len(places.attempts.read_text().splitlines())
    except FileNotFoundError:
        return 0


def _platform() -> str:
    """Operating system, machine, and C library: what binary packages depend on."""
    return "-".join([sys.platform, platform.machine(), *platform.libc_ver()])
