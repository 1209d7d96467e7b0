"""What the server adds to a build, and to a deployment whose environment is there.

    python -m bench.environments [--rounds 7] [--python 3.8] [--requirements "numpy pandas"]

A cold build: nothing but uv's cache is there. It is compared with `uv venv` and `uv pip install` of
the same set on the same Python, in turns (target: at most 1.3 times as long; a build costs some
0.3 s of its own, which shows in sets that uv installs in less than a second). Then what an
environment that is built adds to a second deployment (target: 100 ms), and to the first one of a
server that has just started, which asks its Pythons for their versions. Packages come from where
pip of this machine gets its own.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lazulite
from lazulite.environments.definition import Definition
from lazulite.environments.indexes import installer_environment, read_pip_settings, uv_flags
from lazulite.environments.interpreters import Interpreters, Search
from lazulite.environments.service import Building, Environments
from lazulite.environments.venv import uv_binary
from lazulite.environments.written import Written
from lazulite.executors.local import LocalExecutor

SAMPLE = "azureml-defaults inference-schema[numpy-support] joblib numpy scikit-learn scipy"
"""What the published samples of online endpoints ask for."""
PAUSE_S = 0.005


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", default="3.8")
    parser.add_argument("--requirements", default=SAMPLE)
    options = parser.parse_args()
    definition = Definition(
        conda=(Written(f"python={options.python}"),),
        pip=tuple(map(Written, options.requirements.split())),
    )
    with tempfile.TemporaryDirectory() as folder:
        _bare(Path(folder), definition)  # fills uv's cache
        pairs = [
            (_bare(Path(folder), definition), asyncio.run(_built(Path(folder), definition)))
            for _ in range(options.rounds)
        ]
        first, again = asyncio.run(_there(Path(folder), definition, options.rounds))
    bare, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"bare uv: {bare:.2f} s; a build: {ours:.2f} s, {ours / bare:.2f} times (target 1.3)")
    print(f"an environment that is there: {again * 1000:.0f} ms (target 100)")
    print(f"the same, first asked for by a new server: {first * 1000:.0f} ms")


def _bare(folder, definition):
    """Seconds of uv alone."""
    python = str(_server(folder)[0].plan(definition).interpreter.path)
    names = [line.text for line in definition.pip]
    settings = read_pip_settings(os.environ)
    env = installer_environment(os.environ, settings)
    prefix = folder / "bare"
    started = time.monotonic()
    subprocess.run(
        [uv_binary(), "venv", "-q", "--no-project", "--python", python, prefix],
        env=env, check=True,
    )  # fmt: skip
    install = [uv_binary(), "pip", "install", "-q", "--python", prefix / "bin/python"]
    subprocess.run([*install, *uv_flags(os.environ, settings), *names], env=env, check=True)
    taken = time.monotonic() - started
    shutil.rmtree(prefix)
    return taken


async def _built(folder, definition):
    """Seconds until the server has an environment that was not there."""
    shutil.rmtree(folder / "envs", ignore_errors=True)
    environments, executor = _server(folder)
    started = time.monotonic()
    found = await _ready(environments, definition)
    taken = time.monotonic() - started
    while await executor.observe(f"env-{found.hash}") == "running":  # compiles, at rest
        await asyncio.sleep(PAUSE_S)  # a file says so, no event
    await executor.forget(f"env-{found.hash}")
    return taken


async def _there(folder, definition, rounds):
    """Seconds for an environment that is built: at first, and the second time."""
    pairs = []
    for _ in range(rounds):
        environments, _ = _server(folder)
        times = [time.monotonic()]
        for _ in range(2):
            await _ready(environments, definition)
            times.append(time.monotonic())
        pairs.append((times[1] - times[0], times[2] - times[1]))
    return [statistics.median(each) for each in zip(*pairs, strict=True)]


async def _ready(environments, definition):
    while isinstance(found := await environments.ensure(definition), Building):
        await asyncio.sleep(PAUSE_S)  # a file says so, no event
    return found


def _server(folder):
    env = {**os.environ, "PYTHONPATH": str(Path(lazulite.__file__).parents[1])}
    executor = LocalExecutor(folder / "tasks", env)
    find = Interpreters(Search.of(os.environ, Path(sys.executable))).find
    return Environments(folder / "envs", executor, find), executor


if __name__ == "__main__":
    main()
