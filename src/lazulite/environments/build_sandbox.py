"""Where the code of packages runs while an environment is built: in a sandbox that may write there.

Unpacking wheels runs nothing. What has to be built from source runs its own build script, and every
start of the environment's Python what its packages ask for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lazulite.environments.indexes import pip_files, read_pip_settings
from lazulite.environments.interpreters import homes
from lazulite.executors.launch import PLAIN, Launch, Sandbox
from lazulite.executors.wrappers import inside

Run = Callable[[Sequence[str], Mapping[str, str]], list[str]]
"""Runs a program to its end and returns its output; raises CalledProcessError if it fails."""
RunPassing = Callable[[Sequence[str], Mapping[str, str], Sequence[int]], list[str]]
"""The same, with descriptors that the program inherits."""


def confined(
    run: RunPassing, sandbox: Sandbox, pythons: tuple[Path, Path], environ: Mapping[str, str]
) -> Run | None:
    """What runs programs in the sandbox, with the prefix to write to; None if it is no sandbox.

    pythons: the interpreter, and the prefix that is made of it. Programs share no cache with other
    builds, as they could leave something in it: what they fetch stays in the prefix, below
    `cache_of`, for the caller to drop. They always have the network: packages come from there.
    """
    interpreter, prefix = pythons
    if sandbox.kind == PLAIN:
        return None
    tools = [folder for folder in environ.get("PATH", "").split(":") if folder.startswith("/")]
    files = [*_configuration(environ), *map(str, pip_files(environ))]
    shown = sandbox.showing(*homes(interpreter), *tools, *files, *_local_packages(environ))
    box = dataclasses.replace(shown.showing(str(prefix), writable=True), network=True)

    def run_inside(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
        own = {**env, **_pip_variables(environ), "UV_CACHE_DIR": str(cache_of(prefix))}
        program = () if Path(command[0]).is_relative_to(prefix) else (command[0],)
        bare = Launch(argv=tuple(command), env=own, cwd="/")
        with inside(box.showing(*program), bare) as launch:
            return run(launch.argv, launch.env, launch.descriptors)

    return run_inside


def cache_of(prefix: Path) -> Path:
    """Where confined programs keep what they fetch: on the prefix's own mount, for hard links."""
    return prefix / ".cache"


def _configuration(environ: Mapping[str, str]) -> list[str]:
    """Files of installers that say where packages come from."""
    home = Path(environ.get("HOME", "/"))
    settings = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    found = [home / ".netrc", settings / "uv", Path("/etc/uv"), *_named(environ)]
    return [str(path) for path in found]


def _named(environ: Mapping[str, str]) -> list[Path]:
    return [Path(environ[name]) for name in ("NETRC", "UV_CONFIG_FILE") if environ.get(name)]


def _local_packages(environ: Mapping[str, str]) -> list[str]:
    """Folders of this machine that installers take packages from."""
    links = read_pip_settings(environ).get("find-links", "").split()
    links += environ.get("UV_FIND_LINKS", "").split(",")
    links += [url.removeprefix("file://") for url in _indexes(environ) if url.startswith("file://")]
    return [link for link in links if link.startswith("/")]


def _indexes(environ: Mapping[str, str]) -> list[str]:
    settings = read_pip_settings(environ)
    said = [settings.get("index-url", ""), settings.get("extra-index-url", "")]
    said += [environ.get(name, "") for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")]
    return " ".join(said).split()


def _pip_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of pip's files as variables: the home in the sandbox is another one."""
    settings = read_pip_settings(environ)
    return {f"PIP_{name.upper().replace('-', '_')}": text for name, text in settings.items()}
