"""Rules of the code that keep secrets: no plain comparison, no secret in a log line or a repr."""

import ast
import re
from pathlib import Path

import pytest

import lazulite

SOURCE = Path(lazulite.__file__).parent
FILES = [
    path for part in ("identity", "graph", "blobs", "app") for path in (SOURCE / part).glob("*.py")
]
SECRET = re.compile(
    r"secret|password|digest|signature|token(?!s|_request|_url)|private", re.IGNORECASE
)
HARMLESS = frozenset({"tokens", "secret_name", "lease_token", "secrets"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_secrets_are_not_compared_with_equals(path):
    """`==` ends at the first difference, which tells how much of a guess was right."""
    wrong = [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Compare)
        and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops)
        and any(is_secret(side) for side in (node.left, *node.comparators))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_secrets_are_not_logged(path):
    wrong = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith(("log.", "print"))
        and any(is_secret(each) for each in ast.walk(node))
    ]
    assert wrong == []


def is_secret(node):
    name = getattr(node, "attr", None) or getattr(node, "id", None)
    return isinstance(name, str) and name not in HARMLESS and SECRET.search(name) is not None


def test_the_rule_sees_a_comparison():
    (node,) = ast.parse("given == self.client_secret").body
    assert is_secret(node.value.comparators[0])
    assert not is_secret(node.value.left)
