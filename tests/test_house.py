"""The size and hygiene budgets of the code, measured."""

import ast
import functools
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
FILES = sorted(path for path in SOURCE.rglob("*.py") if path.read_text().strip())
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
VAGUE = {"utils", "util", "helpers", "common", "manager", "base", "impl", "misc"}


@functools.cache
def functions():
    return [
        (path, node, node.end_lineno - node.lineno + 1)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTION)
    ]


def quantile(values, share):
    return sorted(values)[int(share * len(values))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_says_what_it_is_and_is_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "the module has no docstring"
    assert text.count("\n") <= 500
    assert path.stem not in VAGUE


def test_files_are_mostly_small():
    lines = [path.read_text().count("\n") for path in FILES]
    assert quantile(lines, 0.5) <= 120
    assert quantile(lines, 0.9) <= 300


def test_no_function_is_longer_than_a_page():
    long = [
        f"{path}:{node.lineno} {node.name} {size}" for path, node, size in functions() if size > 50
    ]
    assert long == []


def test_functions_are_mostly_small():
    sizes = [size for _, _, size in functions()]
    assert quantile(sizes, 0.5) <= 8
    assert quantile(sizes, 0.9) <= 25


def test_imports_stand_at_the_top():
    lazy = [
        f"{path}:{inner.lineno}"
        for path, node, _ in functions()
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
        and any(name.name.startswith("lazulite.") for name in inner.names)
    ]
    assert lazy == []
