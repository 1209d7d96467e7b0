"""Makes environments of images: pulled or built, with the definition's packages beside them.

The packages go into a prefix on this machine, made by a program that runs in the image: by its
conda if it has one, else by uv, which is mounted into it, on the image's own Python.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from lazulite.core.errors import SpecError
from lazulite.environments import venv
from lazulite.environments.base_image import BaseImage
from lazulite.environments.image_probe import ImageContent, probe
from lazulite.environments.plan import Plan
from lazulite.executors.container import OWNER, Image
from lazulite.executors.container_engine import Engine, EngineError
from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.wrappers import inside

FAILED = "ImageNotUsable"
REPOSITORY = "lazulite/environment"
"""The name of images that are built here; the hash of the environment is the tag."""
CACHE = "cache"
"""Where installers keep what only they need, within the prefix, while they run."""
INLINE_DOCKERFILE = ".lazulite.Dockerfile"
"""Its name in the context that is sent."""


def install(plan: Plan, prefix: Path, installer: venv.Installer) -> dict[str, Any]:
    """Get the image, and make the prefix if packages are asked for.

    Returns how processes start: "python", and the "sandbox" that has it. Raises SpecError, and
    CalledProcessError with the installer's output.
    """
    base = _base(plan)
    try:
        image = _image(base, plan.hash, installer)
    except EngineError as error:
        raise SpecError(
            FAILED, f"The image cannot be had: {error}. See that the engine can reach its registry."
        ) from error
    box = Image(engine=base.engine, image=image, owner=base.owner)
    if base.serves:
        installer.say(f"the image is {image}, with a server of its own")
        prefix.mkdir()
        return {"python": box.python, "sandbox": box.sandbox().to_json()}
    content = probe(Engine(base.engine), image, base.owner)
    installer.say(f"the image is {image}, with {content}")
    box = dataclasses.replace(box, python=str(content.python.path))
    prefix.mkdir()
    (prefix / CACHE).mkdir()
    sandbox = box.sandbox().showing(str(prefix), writable=True)
    python = _python(plan, prefix, content, _within(installer, sandbox, prefix))
    shutil.rmtree(prefix / CACHE)
    shown = box.sandbox().showing(str(prefix))
    return {"python": python, "sandbox": shown.to_json()}


def _image(base: BaseImage, name: str, installer: venv.Installer) -> str:
    """The image's id, after it was pulled or built if need be. Raises EngineError."""
    engine, reference = Engine(base.engine), base.image
    if reference is None:
        reference = f"{REPOSITORY}:{name}"
        installer.say("building the image ...")
        with _context(base) as context:
            lines = engine.build(context, _build_query(base, reference))
            _say(lines, installer)
    elif engine.image(reference) is None:
        installer.say(f"pulling {reference} ...")
        _say(engine.pull(reference), installer)
    found = engine.image(reference)
    if found is None:
        raise EngineError(f"{reference} is not there after it was made")
    return str(found["Id"])


def _build_query(base: BaseImage, reference: str) -> Mapping[str, str]:
    dockerfile = INLINE_DOCKERFILE if base.dockerfile_text is not None else base.dockerfile
    labels = json.dumps({OWNER: base.owner})
    asked = {"t": reference, "dockerfile": dockerfile, "labels": labels}
    return {**asked, "forcerm": "true", "networkmode": "host"}


def _context(base: BaseImage) -> IO[bytes]:
    """What is sent to the engine: the folder as a tar file, and a Dockerfile given as text."""
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with tarfile.open(fileobj=file, mode="w") as archive:
        if base.context is not None:
            archive.add(base.context, arcname=".")
        if base.dockerfile_text is not None:
            entry = tarfile.TarInfo(INLINE_DOCKERFILE)
            text = base.dockerfile_text.encode()
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    file.seek(0)
    return file


def _say(messages: Iterable[dict[str, Any]], installer: venv.Installer) -> None:
    """What the engine says into the log; how many bytes have come is left out."""
    for message in messages:
        text = str(message.get("stream") or message.get("status") or "")
        if not message.get("progressDetail"):
            for line in filter(str.strip, text.splitlines()):
                installer.say(line)


def _python(plan: Plan, prefix: Path, content: ImageContent, installer: venv.Installer) -> str:
    """Where the environment's Python is in the container; made if the image's own will not do."""
    base = _base(plan)
    fits = base.python is None or base.python.allows(content.python.version)
    if not plan.packages and fits:
        return str(content.python.path)
    if content.conda is not None and base.conda_file is not None:
        _conda(content.conda, base.conda_file, prefix, installer)
        return str(prefix / "env/bin/python")
    if not fits and base.python is not None:
        raise SpecError(
            "PythonNotInImage",
            f"{base.python.place}: {base.python.text!r}: the image has Python "
            f"{content.python.number}, and no conda to get another. Ask for that version, or take "
            "an image with the one you need.",
            target="condaFile",
        )
    place = prefix / "env"
    own = dataclasses.replace(plan, interpreter=content.python)
    if _runs_uv(installer):
        venv.install(own, place, installer)
    else:
        installer.say("note: uv does not run in this image; going on with its own venv and pip")
        venv.install_with_pip(own, place, installer)
    venv.compile_modules(place, installer)
    return venv.python_of(place)


def _runs_uv(installer: venv.Installer) -> bool:
    """Whether the image has the C library that uv needs; those of Alpine have another."""
    try:
        installer.run([venv.uv_binary(), "--version"], installer.env)
    except subprocess.CalledProcessError:
        return False
    return True


def _conda(conda: str, text: str, prefix: Path, installer: venv.Installer) -> None:
    file = prefix / "conda.yml"
    file.write_text(text)
    create = [conda, "env", "create", "--prefix", str(prefix / "env"), "--file", str(file)]
    installer.run(create, installer.env)


def _within(installer: venv.Installer, sandbox: Sandbox, prefix: Path) -> venv.Installer:
    """The installer whose programs run in the image."""
    cache = str(prefix / CACHE)
    env = {**installer.env, "UV_CACHE_DIR": cache, "HOME": cache}
    seen = sandbox.showing(venv.uv_binary(), *_local_folders(installer.env))

    def run(command: Sequence[str], env: Mapping[str, str]) -> list[str]:
        with inside(seen, Launch(argv=tuple(command), env=env, cwd="/")) as launch:
            return installer.run(launch.argv, launch.env)

    return dataclasses.replace(installer, run=run, confined=None, env=env)


def _local_folders(env: Mapping[str, str]) -> Iterator[str]:
    """Folders of this machine that packages come from."""
    for name in ("UV_FIND_LINKS", "PIP_FIND_LINKS"):
        for place in env.get(name, "").replace(",", " ").split():
            if place.startswith("/") and os.path.isdir(place):  # noqa: PTH112 - a URL may be
                yield place


def _base(plan: Plan) -> BaseImage:
    if plan.base is None:
        raise ValueError("a plan for Docker has a base image")
    return plan.base
