"""Scoring scripts, read but not run: would they load, and have they what the server calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CALLED = ("init", "run")


def faults(script: Path) -> Iterator[tuple[int, int, str, str]]:
    """Line, column, what is wrong, and the remedy, of a script for a deployment."""
    try:
        tree = ast.parse(script.read_bytes(), str(script))
    except SyntaxError as error:
        said = f"syntax error: {error.msg}"
        yield error.lineno or 1, error.offset or 1, said, _SYNTAX
        return
    except (OSError, ValueError) as error:
        yield 1, 1, f"it cannot be read: {error}", "Save it as UTF-8 text."
        return
    names = set(_names(tree.body))
    for name in CALLED if "*" not in names else ():
        if name not in names:
            yield 1, 1, f"it has no {name}()", _REMEDIES[name]


_SYNTAX = "Correct it; a script for an older Python may need that Python in its environment."
_REMEDIES = {
    "init": "Define init(): it is called once, to load the model from AZUREML_MODEL_DIR.",
    "run": "Define run(data), for batch run(mini_batch): it is called with what is to be scored.",
}


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """What the statements of a module define; "*" for what cannot be known without running it."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name for each in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            inner = (each for target in targets for each in ast.walk(target))
            yield from (each.id for each in inner if isinstance(each, ast.Name))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for branch in ("body", "orelse", "finalbody", "handlers"):
                yield from _names(_statements(getattr(node, branch, [])))


def _statements(found: list[ast.stmt] | list[ast.ExceptHandler]) -> list[ast.stmt]:
    return [
        inner
        for each in found
        for inner in (each.body if isinstance(each, ast.ExceptHandler) else [each])
    ]
