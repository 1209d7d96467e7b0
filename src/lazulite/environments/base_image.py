"""What a plan for Docker has besides packages: an image, or what to make one of."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import Any

from lazulite.environments.pythons import PythonRange


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaseImage:
    """The image that an environment is made on, or that is the environment."""

    engine: str
    """The engine's socket."""
    owner: str
    """The server's data folder, which marks its containers."""
    image: str | None = None
    """None: it is built."""
    context: str | None = None
    """A folder of this machine whose files do not change."""
    dockerfile: str = "Dockerfile"
    dockerfile_text: str | None = None
    serves: bool = False
    """Whether the image brings its own server: then nothing is added to it."""
    python: PythonRange | None = None
    """What the definition asks of the image's Python."""
    conda_file: str | None = None
    """The definition's packages for an image that has conda."""

    def identity(self) -> dict[str, Any]:
        """What makes two environments differ, besides their packages. Reads the context."""
        if self.image is not None:
            return {"image": self.image, "conda": self.conda_file, "serves": self.serves}
        return {
            "context": None if self.context is None else _digest(self.context),
            "dockerfile": self.dockerfile_text or self.dockerfile,
            "conda": self.conda_file,
            "serves": self.serves,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> BaseImage:
        """What dataclasses.asdict made, after JSON."""
        python = value["python"]
        if python is not None:
            clauses = tuple((operator, tuple(version)) for operator, version in python["clauses"])
            python = PythonRange(clauses, python["text"], python["place"])
        return cls(**{**value, "python": python})


@lru_cache(maxsize=256)
def _digest(folder: str) -> str:
    """Of all that a builder sees of a folder that does not change: empty folders and links, too."""
    total = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        mode = path.lstat().st_mode
        name = os.fsencode(path.relative_to(folder))
        total.update(b"%s\0%o\0" % (name, stat.S_IFMT(mode) | mode & 0o111))
        total.update(hashlib.sha256(_content(path, mode)).digest())
    return total.hexdigest()


def _content(path: Path, mode: int) -> bytes:
    if stat.S_ISLNK(mode):
        return os.fsencode(path.readlink())
    return path.read_bytes() if stat.S_ISREG(mode) else b""
