"""A definition in the words of a venv: a Python, packages of PyPI, and what was left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from lazulite.core.errors import SpecError
from lazulite.environments.conda_spec import CondaSpec, parse_conda_spec, python_range
from lazulite.environments.definition import Definition
from lazulite.environments.pypi_names import (
    BUNDLED,
    BUNDLED_PREFIXES,
    CONDA_ONLY,
    PROGRAMS,
    PYPI_NAMES,
    R_PACKAGES,
)
from lazulite.environments.pythons import PythonRange
from lazulite.environments.requirement import (
    NO_INDEXES,
    Option,
    Requirement,
    parse_requirement,
)


@dataclasses.dataclass(frozen=True)
class Requirements:
    """What to install, and on which Python."""

    python: PythonRange | None
    """None: the server's own version will do."""
    packages: tuple[Requirement, ...]
    options: tuple[Option, ...]
    notes: tuple[str, ...]
    """What was translated, or ignored and why; for the head of the build log."""
    is_python_a_wish: bool = False


def requirements_of(definition: Definition, indexes: tuple[str, ...] = NO_INDEXES) -> Requirements:
    """The definition for a venv. Raises SpecError at the first line that a venv cannot meet.

    indexes: URLs of the package indexes that a definition may name.
    """
    if definition.builds_image:
        raise SpecError(
            "DockerNeeded",
            "this environment builds a Dockerfile, and this server has no Docker engine. Give a"
            " condaFile instead, or run the server where Docker answers.",
            target="build",
        )
    specs = [parse_conda_spec(written) for written in definition.conda]
    notes = [*definition.notes, *_notes_on(definition)]
    python, packages = None, []
    for spec in specs:
        if spec.name == "python":
            python = python_range(spec)
        elif note := _why_ignored(spec):
            notes.append(f"{spec.written.place}: {note}")
        else:
            packages.append(_on_pypi(spec))
            notes.extend(_translation_notes(spec, packages[-1]))
    lines = [parse_requirement(written, indexes) for written in definition.pip]
    named = [line for line in lines if isinstance(line, Requirement)]
    notes.extend(_pip_note(line.written.place) for line in named if line.name == "pip")
    return Requirements(
        python,
        (*packages, *(line for line in named if line.name != "pip")),
        tuple(line for line in lines if isinstance(line, Option)),
        tuple(notes),
        definition.is_python_a_wish,
    )


def _notes_on(definition: Definition) -> Iterator[str]:
    if definition.image:
        yield f"image {definition.image} is not used: packages go into a Python venv"
    if definition.channels:
        yield f"channels ({', '.join(definition.channels)}) are not used: packages come from PyPI"


def _why_ignored(spec: CondaSpec) -> str | None:
    if spec.name == "pip":
        return _PIP_IS_OURS if spec.clauses else "pip is always installed"
    is_of_a_family = spec.name.startswith(BUNDLED_PREFIXES) and spec.name not in PYPI_NAMES
    if spec.name in BUNDLED or is_of_a_family:
        return f"{spec.name} is ignored: PyPI's wheels carry such libraries inside"
    if spec.name in PROGRAMS:
        return f"{spec.name} is a program: the one on this machine is used, if there is one"
    return None


def _on_pypi(spec: CondaSpec) -> Requirement:
    remedy = R_PACKAGES if spec.name.startswith("r-") else CONDA_ONLY.get(spec.name)
    if remedy is not None:
        raise spec.written.refusal(f"{spec.name} comes from conda only; {remedy}.")
    text = PYPI_NAMES.get(spec.name, spec.name) + ",".join(spec.clauses)
    found = parse_requirement(dataclasses.replace(spec.written, text=text))
    if not isinstance(found, Requirement):
        raise spec.written.refusal("this cannot be asked of PyPI. Move it to the pip section.")
    return dataclasses.replace(found, written=spec.written)


def _translation_notes(spec: CondaSpec, package: Requirement) -> Iterator[str]:
    if package.name != spec.name:
        yield f"{spec.written.place}: {spec.name} is {package.name} on PyPI"
    if spec.build:
        yield f"{spec.written.place}: the build {spec.build!r} is not used"


_PIP_IS_OURS = "this version of pip is not used: one that fits the Python is installed"


def _pip_note(place: str) -> str:
    return f"{place}: {_PIP_IS_OURS}"
