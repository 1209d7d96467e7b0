"""Packages made on the spot, an installer environment without a network, and a plain executor."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

import lazulite
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.executors.protocol import Phase, Task

BACKEND = """
import os, pathlib, time, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    pathlib.Path({started!r}).write_text(str(os.getpid()))
    while not os.path.exists({go!r}):
        time.sleep(0.02)
    with zipfile.ZipFile(os.path.join(folder, {wheel!r}), "w") as file:
        file.writestr("slow.py", "")
        file.writestr("slow-1.0.dist-info/METADATA", {metadata!r})
        file.writestr("slow-1.0.dist-info/WHEEL", {tags!r})
        file.writestr("slow-1.0.dist-info/RECORD", "")
    return {wheel!r}
"""
TAGS = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class ProcessExecutor:
    """Tasks as child processes: what the environments need of the real executor, no more."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self.root, self.env = root, env
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.started = 0

    async def ensure(self, task: Task) -> None:
        if task.name in self.processes:
            return
        folder = self.folder(task.name)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in task.files.items():
            (folder / name).write_text(text)
        with (folder / "log").open("wb") as log:
            self.processes[task.name] = subprocess.Popen(
                task.command,
                cwd=folder,
                env={**self.env, **task.env},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started += 1

    async def observe(self, name: str) -> Phase:
        await asyncio.sleep(0)
        process = self.processes.get(name)
        code = process.poll() if process else -signal.SIGKILL
        if code is None:
            return Phase.RUNNING
        if code == -signal.SIGKILL:
            return Phase.LOST
        return Phase.FAILED if code else Phase.SUCCEEDED

    async def stop(self, name: str, *, kill: bool = False) -> None:
        self.processes[name].send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.processes[name].wait()

    async def forget(self, name: str) -> None:
        await asyncio.sleep(0)
        if (process := self.processes.pop(name, None)) is not None:
            assert process.poll() is not None, "a running task was forgotten"

    def folder(self, name: str) -> Path:
        return self.root / name

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """An environment in which packages come from the folder `wheels` alone."""
    (tmp_path / "wheels").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": str(Path(lazulite.__file__).parents[1]),
    }


@pytest.fixture
def executor(tmp_path: Path, offline: dict[str, str]) -> Iterator[ProcessExecutor]:
    made = ProcessExecutor(tmp_path / "tasks", offline)
    yield made
    made.close()


@pytest.fixture(scope="session")
def interpreters() -> Interpreters:
    """The Pythons of this machine."""
    running = Path(sys._base_executable)  # type: ignore[attr-defined]
    return Interpreters(Search.of(os.environ, running))


@pytest.fixture
def wheel(tmp_path: Path, offline: dict[str, str]) -> Callable[..., None]:
    """Makes a wheel: wheel("tiny", "1.0", requires=("other",))."""

    def make(name: str, version: str, requires: tuple[str, ...] = ()) -> None:
        info = f"{name}-{version}.dist-info"
        metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
        metadata += [f"Requires-Dist: {each}" for each in requires]
        path = tmp_path / "wheels" / f"{name}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            file.writestr(f"{info}/METADATA", "\n".join(metadata) + "\n")
            file.writestr(f"{info}/WHEEL", TAGS)
            file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")

    return make


@pytest.fixture
def slow_package(tmp_path: Path, offline: dict[str, str]) -> tuple[Path, Path]:
    """A source package `slow` whose build creates the first file, then waits for the second."""
    started, go = tmp_path / "started", tmp_path / "go"
    metadata = "Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n"
    files = {
        "PKG-INFO": metadata,
        "pyproject.toml": '[build-system]\nrequires=[]\nbuild-backend="backend"\n'
        'backend-path=["."]\n',
        "backend.py": BACKEND.format(
            started=str(started),
            go=str(go),
            wheel="slow-1.0-py3-none-any.whl",
            metadata=metadata,
            tags=TAGS,
        ),
    }
    with tarfile.open(tmp_path / "wheels/slow-1.0.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"slow-1.0/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return started, go


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits for a condition, at most 30 s."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in 30 s"
            time.sleep(0.02)

    return wait
