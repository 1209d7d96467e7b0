"""`schema`: JSON schemas of the YAML files, for editors; files are checked by the same shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report
from lazulite.cli.shapes import ANYTHING, FLAG, INTEGER, NUMBER, NUMBERS, TEXT, TEXTS, Shape
from lazulite.cli.spelling import nearest

_DIALECT = "http://json-schema.org/draft-07/schema#"
_FILES = {
    "online-endpoint": "online_endpoints#SHAPE",
    "online-deployment": "online_deployments#SHAPE",
    "batch-endpoint": "batch_endpoints#SHAPE",
    "batch-deployment": "batch_deployments#SHAPE",
    "model": "models#SHAPE",
    "environment": "environments#SHAPE",
    "data": "data#SHAPE",
    "dataset": "datasets#SHAPE",
    "datastore": "datastores#SHAPE",
    "compute": "computes#SHAPE",
    "workspace": "workspaces#SHAPE",
    "connection": "connections#SHAPE",
    "job": "command_jobs#SHAPE",
    "component": "components#SHAPE",
    "schedule": "schedules#SHAPE",
}
"""The noun of each file, and where its shape is."""
_PLAIN: Mapping[str, dict[str, Any]] = {
    TEXT: {"type": ["string", "number", "boolean"]},
    INTEGER: {"type": ["integer", "string"]},
    NUMBER: {"type": ["number", "string"]},
    FLAG: {"type": ["boolean", "string"]},
    TEXTS: {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    },
    NUMBERS: {"type": "object", "additionalProperties": {"type": ["integer", "string", "null"]}},
    ANYTHING: {},
}


def schema(arguments: Arguments, environ: Mapping[str, str], report: Report) -> Any:
    """The schema of one noun; without one, the nouns. With --folder, all of them as files there.

    Raises CommandError for a noun that has no file.
    """
    if arguments.folder:
        return _written(Path(arguments.folder))
    if not arguments.noun:
        return sorted(_FILES)
    if arguments.noun not in _FILES:
        rule = f"There is no file of {arguments.noun!r}{nearest(arguments.noun, _FILES)}"
        raise CommandError("InvalidArgument", f"{rule} Known: {', '.join(sorted(_FILES))}.")
    return schema_of(arguments.noun)


def schema_of(noun: str) -> dict[str, Any]:
    """The JSON schema, draft 7, of a noun's file."""
    module, _, name = _FILES[noun].partition("#")
    shape: Mapping[str, Shape] = getattr(import_module(f"lazulite.cli.{module}"), name)
    said = _mapping({"$schema": TEXT, **shape})
    return {"$schema": _DIALECT, "title": f"lazulite ml {noun}", **said}


def _written(folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = {noun: folder / f"{noun}.schema.json" for noun in sorted(_FILES)}
    for noun, path in paths.items():
        path.write_text(json.dumps(schema_of(noun), indent=2) + "\n")
    return [str(path) for path in paths.values()]


def _any(shape: Shape) -> dict[str, Any]:
    """The schema of a value; a value that is left empty is none."""
    if isinstance(shape, Mapping):
        return _mapping(shape)
    if isinstance(shape, tuple):
        return {"anyOf": [_any(each) for each in shape]}
    if isinstance(shape, frozenset):
        return {"enum": sorted(shape)}
    return dict(_PLAIN[shape])


def _mapping(shape: Mapping[str, Shape]) -> dict[str, Any]:
    fields = {name: _or_none(_any(inner)) for name, inner in sorted(shape.items())}
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _or_none(found: dict[str, Any]) -> dict[str, Any]:
    return found and {"anyOf": [found, {"type": "null"}]}
