"""The Pythons of this machine, and which of them a definition gets.

Folder and file names say what is there; only an interpreter about to be used is started, once.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lazulite.core.errors import SpecError
from lazulite.environments.pythons import PythonRange, Version

OLDEST = (3, 6)
UV_OLDEST = (3, 8)
"""The oldest Python that uv carries."""
NEWEST_KNOWN = 14  # minor versions of Python 3 that are looked for on PATH end here

_VERSION = re.compile(r"(?:cpython-)?(3)\.(\d+)\.(\d+)(?:[-+].*)?")
_PROBE_LIMIT_S = 20
_PROBE = """
import glob, json, os, platform, sys
folders = []
try:
    import ensurepip
    folders = [os.path.join(os.path.dirname(ensurepip.__file__), "_bundled")]
    folders.append(str(getattr(ensurepip, "_WHEEL_PKG_DIR", None) or folders[0]))
except ImportError:
    pass
bundled = [folder for folder in folders if glob.glob(os.path.join(folder, "pip-*.whl"))]
print(json.dumps({"version": list(sys.version_info[:3]), "bundled": bundled[:1],
                  "implementation": platform.python_implementation()}))
"""


class PythonMissingError(SpecError):
    """No Python here is what a definition asks for."""

    def __init__(self, message: str, version: str | None) -> None:
        """version: one to download that would do, as "3.9"; None if uv has none."""
        super().__init__("PythonNotFound", message, target="condaFile")
        self.version = version


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A Python that was started and answered."""

    path: Path
    version: Version
    bundled: Path | None = None
    """The folder of the pip (and setuptools) wheels it came with; None if it has none."""

    @property
    def number(self) -> str:
        """Its full version, e.g. "3.7.16"."""
        return ".".join(map(str, self.version))


@dataclasses.dataclass(frozen=True)
class Search:
    """Where Pythons are looked for."""

    running: Path
    """The server's own: chosen when the definition leaves the choice."""
    path: tuple[Path, ...] = ()
    """Folders that may hold python3.X."""
    roots: tuple[Path, ...] = ()
    """Folders with one installation per version, as pyenv and uv make them."""

    @classmethod
    def of(cls, environ: Mapping[str, str], running: Path, own: Path | None = None) -> Search:
        """The usual places: PATH, /usr/bin (deadsnakes), pyenv's and uv's folders.

        own: the folder that the server downloads Pythons into.
        """
        home = Path(environ.get("HOME", "/"))
        data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
        folders = [*environ.get("PATH", "").split(os.pathsep), "/usr/local/bin", "/usr/bin"]
        return cls(
            running=running,
            path=tuple(Path(folder) for folder in dict.fromkeys(folders) if folder),
            roots=(
                Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions",
                Path(environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python"),
                *([own] if own else []),
            ),
        )


@dataclasses.dataclass(frozen=True)
class _Candidate:
    path: Path
    claimed: Version
    """What its name says; the patch version is 0 where the name does not say it."""


class Interpreters:
    """Finds Pythons; remembers what each file answered until the file changes."""

    def __init__(self, search: Search) -> None:
        """Looks at nothing yet."""
        self._search = search
        self._answers: dict[tuple[Path, int], Interpreter | None] = {}

    def find(self, asked: PythonRange | None) -> Interpreter:
        """The best one: an exact patch version, else the server's own version, else the newest.

        May start a process (about 30 ms); call it from a thread. Raises SpecError that lists what
        is here if nothing fits.
        """
        own = self._ask(self._search.running)

        def rank(candidate: _Candidate) -> tuple[bool, bool, bool, Version]:
            version = candidate.claimed
            exact = asked is not None and asked.is_met_exactly(version)
            is_own = own is not None and version == own.version
            return exact, is_own, candidate.path == self._search.running, version

        for candidate in sorted(self._candidates(own), key=rank, reverse=True):
            if asked is None or asked.allows(candidate.claimed):
                found = self._ask(candidate.path)
                if found and (asked is None or asked.allows(found.version)):
                    return found
        raise self._missing(asked)

    def available(self) -> list[Interpreter]:
        """Every Python that works, oldest first, one per version."""
        own = self._ask(self._search.running)
        found = (self._ask(candidate.path) for candidate in self._candidates(own))
        by_version = {each.version: each for each in found if each is not None}
        return [by_version[version] for version in sorted(by_version)]

    def _candidates(self, own: Interpreter | None) -> Iterator[_Candidate]:
        if own is not None:
            yield _Candidate(own.path, own.version)
        for root in self._search.roots:
            for folder in root.glob("*3.*"):
                if found := _VERSION.fullmatch(folder.name):
                    major, minor, patch = (int(part) for part in found.groups())
                    path = folder / f"bin/python{major}.{minor}"
                    yield _Candidate(path, (major, minor, patch))
        for folder in self._search.path:
            if folder.name == "shims":  # pyenv's scripts, which fail unless the version is active
                continue
            for minor in range(OLDEST[1], NEWEST_KNOWN + 1):
                path = folder / f"python3.{minor}"
                if os.access(path, os.X_OK):
                    yield _Candidate(path, (3, minor, 0))

    def _ask(self, path: Path) -> Interpreter | None:
        try:
            key = (path, path.stat().st_mtime_ns)
        except OSError:
            return None
        if key not in self._answers:
            self._answers[key] = probe_interpreter(path)
        return self._answers[key]

    def _missing(self, asked: PythonRange | None) -> PythonMissingError:
        here = ", ".join(found.number for found in self.available()) or "none"
        wish = f"{asked.place}: {asked.text!r}" if asked else "any Python 3"
        message = f"{wish} is not on this machine. Here are: {here}. {_remedy(asked)}."
        return PythonMissingError(message, _downloadable(asked))


def run_probe(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """The output of a program that is trusted. Raises OSError and SubprocessError."""
    answer = subprocess.run(
        command, capture_output=True, check=True, timeout=_PROBE_LIMIT_S, env=dict(env), text=True
    )
    return answer.stdout.splitlines()


def probe_interpreter(
    path: Path, run: Callable[[Sequence[str], Mapping[str, str]], list[str]] = run_probe
) -> Interpreter | None:
    """What the Python at the path says of itself; None if it does not work or is not CPython.

    run: starts it and returns its output; one that comes in packages is not to be trusted.
    """
    try:
        found = json.loads(run([str(path), "-I", "-c", _PROBE], {})[-1])
    except (IndexError, OSError, subprocess.SubprocessError, ValueError):
        return None
    major, minor, patch = found["version"]
    if found["implementation"] != "CPython" or (major, minor) < OLDEST:
        return None
    bundled = Path(found["bundled"][0]) if found["bundled"] else None
    return Interpreter(path, (major, minor, patch), bundled)


def _downloadable(asked: PythonRange | None) -> str | None:
    """The lowest minor version asked for that uv carries."""
    for minor in range(UV_OLDEST[1], NEWEST_KNOWN + 1):
        if asked is None or asked.allows((3, minor, 99)):
            return f"3.{minor}"
    return None


def homes(python: Path) -> Iterator[str]:
    """The folders that a python needs: its own, and those of the ones that it is a link to.

    Without the root: what is in /bin is the system's.
    """
    hops = [python]
    while hops[-1].is_symlink():
        hops.append(Path(os.path.normpath(hops[-1].parent / hops[-1].readlink())))
    yield from (str(hop.parent.parent) for hop in hops if hop.parent.parent != Path("/"))


def _remedy(asked: PythonRange | None) -> str:
    numbers = next((of for operator, of in asked.clauses if operator == "=="), ()) if asked else ()
    version = ".".join(map(str, numbers[:2]))
    if len(numbers) < 2:
        how = "install another with `uv python install`"
    elif numbers < OLDEST:
        return f"Ask for one of these: Python {'.'.join(map(str, OLDEST))} is the oldest that works"
    else:
        tool = "uv python" if numbers >= UV_OLDEST else "pyenv"
        how = f"install it with `{tool} install {version}`"
    return f"Ask for one of these, or {how}"
