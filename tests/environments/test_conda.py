"""Environments of conda packages, from a channel that the test makes."""

import asyncio
import bz2
import dataclasses
import io
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from rattler import Subdir
from rattler.index import index_fs

from lazulite.core.errors import SpecError
from lazulite.environments.conda_wish import Channels
from lazulite.environments.definition import Definition, from_conda_file
from lazulite.environments.providers import EnvironmentProviders
from lazulite.environments.service import Building, Built, Environments, Failed
from lazulite.executors import bubblewrap
from lazulite.executors.launch import Sandbox
from tests.executors.sandboxes import needs_bubblewrap

SUBDIR = str(Subdir.current())
LEFT_OUT = ("test", "idlelib", "tkinter", "__pycache__", "site-packages", "config-", "ensurepip")


def package(channel, name, version, *, files=None, depends=(), subdir="noarch", tree=None):
    """Put a package into the channel: texts by path, and a tree of folders by path."""
    index = {
        "name": name, "version": version, "build": "0", "build_number": 0, "subdir": subdir,
        "depends": list(depends), **({"noarch": "generic"} if subdir == "noarch" else {}),
    }  # fmt: skip
    raw, paths = io.BytesIO(), []
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, text in (files or {}).items():
            _add(archive, path, text.encode())
            paths.append({"_path": path, "path_type": "hardlink"})
        for path, folder in (tree or {}).items():
            archive.add(folder, path, filter=lambda entry: _wanted(entry, paths))
        _add(archive, "info/index.json", json.dumps(index).encode())
        _add(archive, "info/paths.json", json.dumps({"paths": paths, "paths_version": 1}).encode())
    target = channel / subdir / f"{name}-{version}-0.tar.bz2"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(bz2.compress(raw.getvalue(), 1))


def _add(archive, path, data):
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(data), 0o755
    archive.addfile(entry, io.BytesIO(data))


def _wanted(entry, paths):
    if any(part.startswith(LEFT_OUT) for part in Path(entry.name).parts):
        return None
    if not entry.isdir():
        paths.append({"_path": entry.name, "path_type": "hardlink"})
    return entry


@pytest.fixture(scope="session")
def channel(tmp_path_factory):
    """A channel with this very Python, a package of files, and one that nothing can go with."""
    folder = tmp_path_factory.mktemp("channel")
    home, version = Path(sys.base_prefix), ".".join(map(str, sys.version_info[:3]))
    minor = "python{}.{}".format(*sys.version_info[:2])
    tree = {f"lib/{minor}": home / "lib" / minor, "bin/python": home / "bin" / minor}
    package(folder, "python", version, subdir=SUBDIR, tree=tree)
    code = f"lib/{minor}/site-packages/only_conda.py"
    package(
        folder, "only-conda", "2.0", files={code: "V = 2", "bin/only": "#!/bin/sh\necho only\n"}
    )
    package(folder, "of-the-past", "1.0", depends=["python <3.0"])
    asyncio.run(index_fs(folder))
    return folder


@pytest.fixture
def environments(tmp_path, executor, interpreters, channel):
    providers = EnvironmentProviders(channels=Channels.of((f"mine={channel.as_uri()}",)))
    return Environments(tmp_path / "environments", executor, interpreters.find, providers=providers)


async def ended(environments, definition):
    """What ensure() says once the build is over; whole Pythons are unpacked meanwhile."""
    deadline = time.monotonic() + 90
    while isinstance(found := await environments.ensure(definition), Building):
        assert time.monotonic() < deadline, "the build did not end in 90 s"
        await asyncio.sleep(0.02)
    return found


def says(python, code):
    command = [python, *(["-c", code] if code else [])]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()


def definition(*dependencies, pip=(), channels=("mine", "nodefaults"), provider="conda"):
    lines = [*dependencies, *([{"pip": list(pip)}] if pip else [])]
    found = from_conda_file({"channels": list(channels), "dependencies": lines})
    return dataclasses.replace(found, provider=provider)


@pytest.mark.slow
async def test_packages_of_a_channel_and_of_the_pip_section_go_into_one_prefix(
    environments, wheel, tmp_path
):
    wheel("tiny", "1.0")
    asked = definition("python=3", "only-conda>=1.5", pip=["tiny==1.0"])
    built = await ended(environments, asked)
    assert isinstance(built, Built), built
    code = "import sys, only_conda, tiny; print(sys.prefix, only_conda.V, tiny.VERSION)"
    assert says(built.python, code) == [str(built.python.parents[1]), "2", "1.0"]
    assert says(built.python.with_name("only"), "") == ["only"]
    log = environments.log(built.hash).decode()
    assert "made with conda: the environment's lazulite.provider says so" in log
    assert "only-conda 2.0" in log

    again = await environments.ensure(asked)
    assert again == built
    other = await ended(environments, definition("python=3", "only-conda==2.0"))
    assert other.hash != built.hash


async def test_what_cannot_be_solved_is_blamed_on_its_line_and_leaves_nothing(environments):
    failed = await ended(environments, definition("python=3", "of-the-past"))
    assert isinstance(failed, Failed)
    assert failed.error.code == "UnsolvableEnvironment"
    assert "'of-the-past'" in failed.error.message
    assert "python" in failed.error.message
    assert not (environments._root / failed.hash).exists()


async def test_a_channel_that_does_not_answer_is_named(tmp_path, executor, interpreters):
    providers = EnvironmentProviders(channels=Channels.of(("mine=http://127.0.0.1:9/none",)))
    environments = Environments(tmp_path / "e", executor, interpreters.find, providers=providers)
    failed = await ended(environments, definition("python=3"))
    assert failed.error.code == "CondaChannelUnreachable"
    assert "http://127.0.0.1:9/none" in failed.error.message


async def test_a_killed_build_leaves_nothing_that_counts(environments, executor):
    asked = definition("python=3", "only-conda")
    first = await environments.ensure(asked)
    assert isinstance(first, Building)
    await executor.stop(f"env-{first.hash}", kill=True)
    built = await ended(environments, asked)
    assert says(built.python, "import only_conda; print(only_conda.V)") == ["2"]


@pytest.mark.parametrize(
    ("items", "channels", "urls"),
    [
        ((), [], ["conda-forge"]),
        ((), ["pytorch", "defaults"], ["pytorch", "conda-forge"]),
        (("conda-forge=http://mirror/cf",), ["conda-forge", "nodefaults"], ["http://mirror/cf"]),
        (("http://own/channel",), ["http://own/channel"], ["http://own/channel"]),
    ],
)  # fmt: skip
def test_channels_are_where_the_server_says(items, channels, urls):
    wish = Channels.of(items).wish(Definition(channels=tuple(channels)))
    assert list(wish.channels) == urls


@pytest.mark.parametrize("channel", ["http://10.0.0.1/private", "file:///etc", "../up"])
def test_channels_that_the_server_does_not_know_are_refused(channel):
    with pytest.raises(SpecError, match="is not one that this server uses"):
        Channels.of(()).wish(Definition(channels=(channel,)))


@needs_bubblewrap
@pytest.mark.slow
async def test_code_of_packages_runs_in_a_sandbox_only(
    environments, channel, executor, interpreters, wheel, tmp_path
):
    wheel("tiny", "1.0")
    secret = tmp_path / "server" / "secret"
    secret.parent.mkdir()
    secret.write_text("s3cret")
    minor = "python{}.{}".format(*sys.version_info[:2])
    note = f"str(os.path.exists({str(secret)!r}))"
    seen = f"import os, sys; open(sys.prefix + '/seen', 'a').write({note})"
    package(channel, "nosy", "1.0", files={f"lib/{minor}/site-packages/nosy.pth": seen + "\n"})
    await index_fs(channel)
    details = {bubblewrap.HIDDEN: str(secret.parent), bubblewrap.TMP_MIB: "64"}
    shut_in = Environments(
        tmp_path / "shut-in", executor, interpreters.find,
        providers=EnvironmentProviders(channels=Channels.of((f"mine={channel.as_uri()}",))),
        sandbox=Sandbox(kind=bubblewrap.KIND, details=details).showing(sys.base_prefix),
    )  # fmt: skip
    built = await ended(shut_in, definition("python=3", "nosy", pip=["tiny==1.0"]))
    assert isinstance(built, Built), built
    seen = (built.python.parents[1] / "seen").read_text()
    assert set(seen.replace("False", "F")) == {"F"}
