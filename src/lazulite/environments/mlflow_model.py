"""The environment that an MLflow model folder asks for.

conda.yaml is read first, as Azure does: it alone holds Python, conda and pip packages together.
Source: mlflow/utils/environment.py and docs, "MLflow Models: Environment files".
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from ruamel.yaml.nodes import ScalarNode

from lazulite.core.errors import SpecError
from lazulite.environments.conda_file import MAX_SIZE, Reader
from lazulite.environments.definition import (
    Definition,
    from_conda_file,
    from_requirements,
    requirement_lines,
)
from lazulite.environments.written import Written

_CONDA, _PYTHON, _PIP = "conda.yaml", "python_env.yaml", "requirements.txt"
_INCLUDE = re.compile(r"-r\s+requirements\.txt")


def from_mlflow_model(folder: Path) -> Definition:
    """The definition in conda.yaml, python_env.yaml or requirements.txt, whichever comes first.

    Raises SpecError if the folder has none of them, or if the one it has cannot be read.
    """
    if (text := _text(folder / _CONDA)) is not None:
        return _with_included(from_conda_file(text, _CONDA), folder)
    if (text := _text(folder / _PYTHON)) is not None:
        return _with_included(_from_python_env(text), folder)
    if (text := _text(folder / _PIP)) is not None:
        return from_requirements(text, _PIP)
    raise SpecError(
        "NoEnvironmentInModel",
        f"the model folder has no {_CONDA}, {_PYTHON} or {_PIP}. Log the model with MLflow, which"
        " writes them, or name an environment.",
    )


def _from_python_env(text: str) -> Definition:
    """python_env.yaml: python (a version), build_dependencies and dependencies (pip's lines)."""
    reader = Reader(_PYTHON)
    top = reader.mapping(text)
    pip = [
        line
        for section in ("build_dependencies", "dependencies")
        for line in reader.texts(top.get(section))
    ]
    conda: tuple[Written, ...] = ()
    if isinstance(node := top.get("python"), ScalarNode):
        version = reader.scalar(node, "python is a version")
        conda = (dataclasses.replace(version, text=f"python=={version.text}"),)
    return Definition(conda, tuple(pip))


def _with_included(definition: Definition, folder: Path) -> Definition:
    """The definition with `-r requirements.txt`, the only include MLflow writes, filled in."""
    pip: list[Written] = []
    for line in definition.pip:
        text = _text(folder / _PIP) if _INCLUDE.fullmatch(line.text) else None
        pip.extend([line] if text is None else requirement_lines(text, _PIP))
    return dataclasses.replace(definition, pip=tuple(pip))


def _text(path: Path) -> str | None:
    """A file of the model; None if absent. Never follows a link out of the model folder."""
    if not path.is_file():
        return None
    if path.resolve().parent != path.parent.resolve():
        raise SpecError("InvalidModel", f"{path.name} of the model is a link to another place.")
    if path.stat().st_size > MAX_SIZE:
        raise SpecError("InvalidModel", f"{path.name} of the model is over {MAX_SIZE} bytes.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError("InvalidModel", f"{path.name} of the model is not UTF-8.") from error
