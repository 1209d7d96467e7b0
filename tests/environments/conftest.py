"""Packages made on the spot, an installer environment without a network, and a plain executor."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lazulite
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.executors.local import LocalExecutor

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
PYPROJECT = '[build-system]\nrequires=[]\nbuild-backend="backend"\nbackend-path=["."]\n'
TAGS = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


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
def executor(tmp_path: Path, offline: dict[str, str]) -> Iterator[LocalExecutor]:
    """Runs builds without a network; what still runs at the end of a test is killed."""
    made = LocalExecutor(tmp_path / "tasks", offline)
    yield made
    for name in made.names():
        asyncio.run(made.stop(name, kill=True))


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
def source_package(tmp_path: Path, offline: dict[str, str]) -> Callable[..., None]:
    """Makes a source package: source_package("legacy", "1.0", {"setup.py": "..."})."""

    def make(name: str, version: str, files: dict[str, str]) -> None:
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        path = tmp_path / "wheels" / f"{name}-{version}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for file, text in {"PKG-INFO": metadata, f"{name}.py": "", **files}.items():
                entry = tarfile.TarInfo(f"{name}-{version}/{file}")
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))

    return make


@pytest.fixture
def slow_package(tmp_path: Path, source_package: Callable[..., None]) -> tuple[Path, Path]:
    """A source package `slow` whose build creates the first file, then waits for the second."""
    started, go = tmp_path / "started", tmp_path / "go"
    backend = BACKEND.format(
        started=str(started),
        go=str(go),
        wheel="slow-1.0-py3-none-any.whl",
        metadata="Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n",
        tags=TAGS,
    )
    source_package("slow", "1.0", {"pyproject.toml": PYPROJECT, "backend.py": backend})
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
