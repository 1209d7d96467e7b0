"""What a user asks of an environment, before anything decides how to meet it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from lazulite.core.errors import SpecError
from lazulite.environments.conda_file import parse_conda_file
from lazulite.environments.curated import Curated
from lazulite.environments.written import Written

PROVIDER = "lazulite.provider"
"""The tag or property of an environment version that says what to make it with."""


@dataclasses.dataclass(frozen=True)
class Definition:
    """An environment as defined: packages as written, with their places, and what carries them.

    Says nothing about PyPI, channels or Docker: each provider reads its own needs from it.
    """

    conda: tuple[Written, ...] = ()
    """conda match specs, `python` among them."""
    pip: tuple[Written, ...] = ()
    """Lines of pip's requirements language."""
    channels: tuple[str, ...] = ()
    image: str | None = None
    builds_image: bool = False
    """Whether a Dockerfile has to be built."""
    context: str | None = None
    """The folder with the Dockerfile and what it copies; a URI until it is on this machine."""
    dockerfile: str = "Dockerfile"
    """Its path in the context."""
    dockerfile_text: str | None = None
    """The Dockerfile itself, which 2021-03-01-preview takes instead of a path."""
    server: Mapping[str, Any] | None = None
    """inferenceConfig: the routes of an image that brings its own server."""
    provider: str | None = None
    """What it is to be made with, where its author has said so."""
    notes: tuple[str, ...] = ()
    """What reading left out, for the head of the build log."""
    is_python_a_wish: bool = False
    """Whether another Python will do where the one asked for is not to be had."""


def from_properties(properties: Mapping[str, Any]) -> Definition:
    """An environment version's ARM properties, in the 2021-03 form (docker) or any later one.

    Raises SpecError with line and column for a conda file that cannot be read.
    Source: spec/REST.md 7.4, "Environment version".
    """
    docker = _mapping(properties, "docker")
    image = properties.get("image") or docker.get("dockerImageUri")
    definition = from_conda_file(properties["condaFile"]) if properties.get("condaFile") else None
    build = _mapping(properties, "build")
    return dataclasses.replace(
        definition or Definition(),
        context=build.get("contextUri"),
        dockerfile=build.get("dockerfilePath") or "Dockerfile",
        dockerfile_text=properties.get("dockerfile") or docker.get("dockerfile"),
        server=properties.get("inferenceConfig") or None,
        provider=_mapping(properties, "tags").get(PROVIDER)
        or _mapping(properties, "properties").get(PROVIDER),
        image=str(image) if image else None,
        builds_image=bool(
            properties.get("build") or properties.get("dockerfile") or docker.get("dockerfile")
        ),
    )


def from_conda_file(content: Any, source: str = "condaFile") -> Definition:
    """A conda file as YAML text, JSON text, or the mapping that such text holds."""
    if isinstance(content, Mapping):
        content = json.dumps(content, indent=1, default=str)
    if not isinstance(content, str):
        raise SpecError(
            "InvalidCondaFile",
            f"{source} is a {type(content).__name__}; it has to be the text of a conda file.",
            target=source,
        )
    file = parse_conda_file(content, source)
    notes = [f"{source}: {key!r} is not used" for key in file.ignored]
    return Definition(file.conda, file.pip, file.channels, notes=tuple(notes))


def curated_definition(curated: Curated, reference: str) -> Definition:
    """A curated environment; reference: how it was asked for, whose version says nothing."""
    definition = from_conda_file(curated.conda_file, curated.name)
    return dataclasses.replace(definition, notes=(f"{reference}: the set of {curated.name}",))


def from_requirements(text: str, source: str = "requirements.txt") -> Definition:
    """A requirements.txt: a requirement or an option a line; a final backslash continues it."""
    return Definition(pip=tuple(requirement_lines(text, source)))


def requirement_lines(text: str, source: str) -> list[Written]:
    """The lines of a requirements file; continued ones are joined at their first line's place."""
    lines: list[Written] = []
    open_line: Written | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        piece, continues = raw.rstrip().removesuffix("\\"), raw.rstrip().endswith("\\")
        column = len(raw) - len(raw.lstrip()) + 1
        if open_line is None:
            open_line = Written(piece.strip(), source, number, column)
        else:
            joined = f"{open_line.text} {piece.strip()}"
            open_line = dataclasses.replace(open_line, text=joined)
        if not continues:
            lines.append(open_line)
            open_line = None
    return [line for line in [*lines, open_line] if line is not None and line.text]


def _mapping(properties: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = properties.get(name)
    return value if isinstance(value, Mapping) else {}
