"""What an image holds that environments are made with: asked by running it once."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from lazulite.core.errors import SpecError
from lazulite.environments.interpreters import OLDEST, Interpreter
from lazulite.executors.container import RESTRICTED, user_of
from lazulite.executors.container_engine import Engine, EngineError
from lazulite.executors.holders import labels

MOST_PROCESSES = 256
_SCRIPT = """
for python in python python3 /opt/miniconda/bin/python /opt/conda/bin/python; do
  place=$(command -v "$python") && "$place" -c '
import json, sys
print(json.dumps({"path": sys.executable, "version": list(sys.version_info[:3])}))'
done
for conda in mamba conda /opt/miniconda/bin/conda /opt/conda/bin/conda; do
  place=$(command -v "$conda") && echo "\\"$place\\""
done
true
"""


@dataclasses.dataclass(frozen=True)
class ImageContent:
    """A Python, and conda where there is one."""

    python: Interpreter
    conda: str | None = None

    def __str__(self) -> str:
        """For the build log."""
        conda = f" and {self.conda}" if self.conda else ""
        return f"Python {self.python.number} ({self.python.path}){conda}"


def probe(engine: Engine, image: str, owner: str) -> ImageContent:
    """What the image has; owner: the server's data folder.

    Raises SpecError for one without a Python that is new enough.
    """
    try:
        said = _output(engine, image, owner)
    except EngineError as error:
        raise SpecError(
            "ImageNotUsable",
            f"The image {image} cannot be run to see what it holds: {error}. Images that bring "
            "their own server need an inferenceConfig instead.",
            target="image",
        ) from error
    return _read(image, said)


def _output(engine: Engine, image: str, owner: str) -> str:
    container = engine.create({**configuration(image, owner), "User": user_of(engine.info())})
    try:
        output = engine.attach(container)
        engine.start(container)
        return output.read()
    finally:
        engine.remove(container)


def configuration(image: str, owner: str) -> dict[str, Any]:
    """What to create: the image is not to be trusted more than when it runs user code."""
    return {
        "Image": image,
        "Labels": labels(owner),
        "Entrypoint": ["/bin/sh", "-c", _SCRIPT],
        "HostConfig": {
            "AutoRemove": True,
            "NetworkMode": "none",
            "PidsLimit": MOST_PROCESSES,
            **RESTRICTED,
        },
    }


def _read(image: str, said: str) -> ImageContent:
    pythons, condas = [], []
    for line in said.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue  # a word of warning of the shell's
        if isinstance(found, dict):
            pythons.append(Interpreter(Path(found["path"]), tuple(found["version"])))
        elif isinstance(found, str):
            condas.append(found)
    usable = [python for python in pythons if python.version >= OLDEST]
    if not usable:
        raise SpecError(
            "ImageWithoutPython",
            f"The image {image} has no Python {'.'.join(map(str, OLDEST))} or later on its PATH"
            f"{os.linesep if said else ''}{said[:300].strip()}. Scripts need one; images that "
            "bring their own server need an inferenceConfig.",
            target="image",
        )
    return ImageContent(usable[0], condas[0] if condas else None)
