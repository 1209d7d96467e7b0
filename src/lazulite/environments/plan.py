"""What a definition comes to on this machine: an interpreter, packages, and the hash of both."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lazulite.environments.base_image import BaseImage
from lazulite.environments.conda_wish import CondaWish
from lazulite.environments.interpreters import Interpreter
from lazulite.environments.requirement import Option
from lazulite.environments.requirements import Requirements

FORMAT = 1
"""Raised when a build makes something else of the same words: old environments are left behind."""


@dataclasses.dataclass(frozen=True)
class Package:
    """A requirement as a build needs it: text for the installer, place for messages."""

    name: str
    text: str
    written: str
    place: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """All that a build reads; two plans with one hash make the same environment."""

    provider: str
    interpreter: Interpreter
    platform: str
    packages: tuple[Package, ...]
    options: tuple[Option, ...] = ()
    notes: tuple[str, ...] = ()
    base: BaseImage | None = None
    """The image it is made on, by the provider docker."""
    conda: CondaWish | None = None
    """What the provider conda is to install besides packages."""

    @property
    def hash(self) -> str:
        """32 hexadecimal digits over what is installed; places, notes and order do not count."""
        identity = {
            "format": FORMAT,
            "provider": self.provider,
            "python": self.interpreter.number,
            "platform": self.platform,
            "packages": sorted({package.text for package in self.packages}),
            "options": sorted({f"{option.name} {option.value}" for option in self.options}),
        }
        if self.base is not None:
            identity |= self.base.identity()
        if self.conda is not None:
            identity |= self.conda.identity()
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


_YET_UNKNOWN = Interpreter(Path("/"), (0, 0, 0))
"""Of environments that bring their own."""


def plan_venv(requirements: Requirements, interpreter: Interpreter, platform: str) -> Plan:
    """The plan for a venv. platform: operating system, machine and C library, as one word."""
    asked = requirements.python
    notes = list(requirements.notes)
    if asked is not None and not asked.is_met_exactly(interpreter.version):
        notes.append(f"{asked.place}: {asked.text!r} is met by Python {interpreter.number}")
    packages = tuple(_packages(requirements))
    return Plan("venv", interpreter, platform, packages, requirements.options, tuple(notes))


def _packages(requirements: Requirements) -> Iterator[Package]:
    for each in requirements.packages:
        yield Package(each.name, each.text, each.written.text, each.written.place)


def plan_docker(requirements: Requirements, base: BaseImage, platform: str) -> Plan:
    """The plan for an image. Its Python is known once the image is there."""
    base = dataclasses.replace(base, python=requirements.python)
    return Plan(
        "docker",
        _YET_UNKNOWN,
        platform,
        tuple(_packages(requirements)),
        requirements.options,
        requirements.notes,
        base,
    )


def plan_conda(pip: Requirements, wish: CondaWish, platform: str) -> Plan:
    """The plan for conda. pip: the lines of the definition's pip section alone."""
    packages = tuple(_packages(pip))
    return Plan("conda", _YET_UNKNOWN, platform, packages, pip.options, pip.notes, conda=wish)


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as the build task reads it."""
    return dataclasses.asdict(
        plan, dict_factory=lambda pairs: {key: _plain(value) for key, value in pairs}
    ) | {"hash": plan.hash}


def from_json(value: dict[str, Any]) -> Plan:
    """The plan that to_json wrote."""
    interpreter = value["interpreter"]
    return Plan(
        provider=value["provider"],
        interpreter=Interpreter(
            Path(interpreter["path"]),
            tuple(interpreter["version"]),
            Path(interpreter["bundled"]) if interpreter["bundled"] else None,
        ),
        platform=value["platform"],
        packages=tuple(Package(**package) for package in value["packages"]),
        options=tuple(Option(**option) for option in value["options"]),
        notes=tuple(value["notes"]),
        base=BaseImage.from_json(value["base"]) if value["base"] else None,
        conda=CondaWish.from_json(value["conda"]) if value["conda"] else None,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
