"""What the reference pages must say, read from the code itself.

`python -m tests.examples.reference` writes the generated tables into the pages anew.
"""

import ast
import dataclasses
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from lazulite.blobs.errors import CODES
from lazulite.cli.arguments import CONNECTION, Arguments
from lazulite.cli.az_commands import ALONE, AZ
from lazulite.cli.autoscale_commands import AUTOSCALE, AutoscaleArguments
from lazulite.cli.client_commands import CLIENTS, ClientArguments
from lazulite.cli.commands import CACHE, SERVER
from lazulite.cli.storage_arguments import ACCESS, StorageArguments
from lazulite.cli.ml_commands import ML
from lazulite.cli.storage_commands import ACCOUNTS, CONTENTS
from lazulite.cli.identity_commands import IDENTITY
from lazulite.cli.monitor_arguments import MonitorArguments
from lazulite.cli.monitor_commands import MONITOR
from lazulite.core.settings import HELP, Settings
from tests.examples.batch_options import asked_table, endpoints_table, settings_table as batch_settings_table
from tests.examples.environment_tables import (
    bundled_list,
    conda_only_table,
    curated_table,
    images_table,
    names_table,
    programs_list,
)
from tests.examples.rest_tables import kinds_table, services_table, versions_table

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src"
CODE = re.compile(r"[A-Z]\w*[a-z]\w*")
VARIABLE = re.compile(r"LAZULITE_[A-Z_]*[A-Z]")


def commands_table() -> str:
    """Every command, what it does, and its own options."""
    lines = ["| command | what it does | options |", "|---|---|---|"]
    lines += [f"| `lazulite {each.name}` | {each.summary} | |" for each in SERVER]
    named = [(f"ml {each.name}", each) for each in ML] + [
        (each.name, each) for each in [*CACHE, *IDENTITY, *AZ, *ALONE]
    ]
    lines += [
        f"| `lazulite {name}` | {each.summary} | {_options(each.options)} |" for name, each in named
    ]
    lines += [
        f"| `lazulite {each.name}` | {each.summary} | {_options(each.options, ClientArguments)} |"
        for each in CLIENTS
    ]
    lines += [
        f"| `lazulite storage {each.name}` | {each.summary} |"
        f" {_options(each.options, StorageArguments)} |"
        for each in [*ACCOUNTS, *CONTENTS]
    ]
    lines += [
        f"| `lazulite {each.name}` | {each.summary} | {_options(each.options, MonitorArguments)} |"
        for each in MONITOR
    ]
    lines += [
        f"| `lazulite {each.name}` | {each.summary} | {_options(each.options, AutoscaleArguments)} |"
        for each in AUTOSCALE
    ]
    return "\n".join(lines)


def options_table() -> str:
    """Every option of the commands that speak HTTP, by its first flag."""
    lines = ["| option | meaning |", "|---|---|"]
    return "\n".join([*lines, *_explained(Arguments)])


def monitor_options_table() -> str:
    """Every option of the `monitor` commands."""
    return "\n".join(["| option | meaning |", "|---|---|", *_explained(MonitorArguments)])


def storage_options_table() -> str:
    """Every option of the `storage` commands."""
    return "\n".join(["| option | meaning |", "|---|---|", *_explained(StorageArguments)])


def autoscale_options_table() -> str:
    """Every option of the `monitor autoscale` commands."""
    return "\n".join(["| option | meaning |", "|---|---|", *_explained(AutoscaleArguments)])


def _explained(declared: type) -> Iterator[str]:
    fields = sorted(dataclasses.fields(declared), key=lambda field: field.metadata["flags"][0])
    for field in fields:
        flags = ", ".join(f"`{flag}`" for flag in field.metadata["flags"])
        yield f"| {flags} | {field.metadata['help']} |"


def settings_table() -> str:
    """Every setting, its option, variable and default."""
    lines = ["| option of `lazulite up` | variable | meaning |", "|---|---|---|"]
    for field in dataclasses.fields(Settings):
        flag, variable = field.name.replace("_", "-"), f"LAZULITE_{field.name.upper()}"
        lines.append(f"| `--{flag}` | `{variable}` | {HELP[field.name]} |")
    return "\n".join(lines)


TABLES = {
    ("cli.md", "commands"): commands_table,
    ("cli.md", "options"): options_table,
    ("cli.md", "storage options"): storage_options_table,
    ("cli.md", "monitor options"): monitor_options_table,
    ("cli.md", "autoscale options"): autoscale_options_table,
    ("settings.md", "settings"): settings_table,
    ("batch-options.md", "endpoints"): endpoints_table,
    ("batch-options.md", "settings"): batch_settings_table,
    ("batch-options.md", "asked"): asked_table,
    ("environments.md", "pypi names"): names_table,
    ("environments.md", "bundled"): bundled_list,
    ("environments.md", "programs"): programs_list,
    ("environments.md", "conda only"): conda_only_table,
    ("environments.md", "images"): images_table,
    ("environments.md", "curated"): curated_table,
    ("rest.md", "kinds"): kinds_table,
    ("rest.md", "versions"): versions_table,
    ("rest.md", "services"): services_table,
}
"""Which table stands between `<!-- begin NAME -->` and `<!-- end NAME -->` of which page."""


def generated(page: str, name: str) -> re.Match:
    """The place of a generated table in a page."""
    begin, end = f"<!-- begin {name} -->\n", f"\n<!-- end {name} -->"
    found = re.search(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", page, re.DOTALL)
    assert found, f"the page has no {begin}...{end}"
    return found


@functools.cache
def trees() -> dict[Path, ast.Module]:
    """The whole code, parsed."""
    return {path: ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}


@functools.cache
def error_codes() -> dict[str, str]:
    """Every code that the product gives an error, and one place where it does."""
    errors = _error_classes(trees().values())
    found = dict.fromkeys(CODES, "lazulite/blobs/errors.py")
    for path, tree in trees().items():
        for code in _codes(tree, errors):
            found.setdefault(code, str(path.relative_to(SOURCE)))
    return found


def numbers() -> set[int]:
    """Every AADSTS number that the token service answers."""
    calls = ast.walk(ast.parse((SOURCE / "lazulite/identity/oauth_errors.py").read_text()))
    return {node.args[1].value for node in calls if _called(node) == "OAuthError"}


def variables() -> set[str]:
    """Every LAZULITE_ variable that stands as a text in the code, and those of the settings."""
    texts = (
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {text for text in texts if VARIABLE.fullmatch(text)} | {
        f"LAZULITE_{field.name.upper()}" for field in dataclasses.fields(Settings)
    }


def _options(names: str, declared: type = Arguments) -> str:
    shown = []
    for word in names.split():
        name = word.partition(":")[0]
        flag = declared.__dataclass_fields__[name.rstrip("!")].metadata["flags"][0]
        if name.rstrip("!") not in {*CONNECTION, *ACCESS}:
            shown.append(f"**`{flag}`**" if name.endswith("!") else f"`{flag}`")
    return " ".join(shown)


def _error_classes(trees) -> set[str]:
    """Names of all classes that derive, however far, from an error that has a code."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"LazuliteError", "TokenError"}
    while more := {name for name in bases if bases[name] & found} - found:
        found |= more
    return found


_CARRIERS = {
    *("Diagnosis", "Outcome", "Unserved"),
    *("refusal", "error_page", "_unauthorized", "_invalid"),
}
"""Calls, besides those of error classes, that have a code among their first three arguments."""


def _codes(tree: ast.AST, errors: set[str]) -> Iterator[str]:
    """What stands where codes stand: in calls, in values of "code", as defaults of `code`."""
    named = _assigned(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in errors:
            calls = [each for each in ast.walk(node) if _called(each) == "__init__"]
            yield from (code for call in calls for code in _texts(call.args[:1], named))
        if _called(node) in errors:
            yield from _texts(node.args[:1], named)
        if _called(node) in _CARRIERS:
            yield from _texts(node.args[:3], named)
        if isinstance(node, ast.Call):
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            yield from _texts(given, named)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            given = [value for key, value in pairs if _text(key) == "code"]
            yield from _texts(given, named)
        if isinstance(node, ast.FunctionDef):
            pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            yield from _texts([item for arg, item in pairs if item and arg.arg == "code"], named)


def _assigned(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What each plain name of a module is ever set to."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def _texts(expressions, named) -> Iterator[str]:
    """The codes that expressions can come to; names are followed to what they were set to."""
    for expression in expressions:
        if isinstance(expression, ast.Constant):
            if isinstance(expression.value, str) and CODE.fullmatch(expression.value):
                yield expression.value
        elif isinstance(expression, ast.Name):
            yield from _texts(named.get(expression.id, ()), {})
        elif isinstance(expression, ast.BoolOp):
            yield from _texts(expression.values, named)
        elif isinstance(expression, ast.IfExp):
            yield from _texts((expression.body, expression.orelse), named)


def _called(node: ast.AST) -> str:
    """The last part of the name that a call calls; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", None) or getattr(node.func, "attr", "")


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


if __name__ == "__main__":
    for (name, table), render in TABLES.items():
        page = (DOCS / name).read_text()
        place = generated(page, table)
        (DOCS / name).write_text(page[: place.start()] + render() + page[place.end() :])
