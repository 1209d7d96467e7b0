"""Requirements files that a conda file includes, written into it: the server sees only the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lazulite.cli.documents import Document, Key

_INCLUDE = r"(?:-r|--requirement)[\s=]+(?P<file>[^\s'\"#]+)"
_ENTRY = re.compile(rf"(?P<dash>\s*-\s+)(?P<quote>['\"]?){_INCLUDE}(?P=quote)\s*(?:#.*)?")
_LINE = re.compile(rf"{_INCLUDE}\s*")
_COMMENT = re.compile(r"(^|\s)#.*$")


def inlined_text(found: Document, key: Key, text: str, folder: Path) -> str:
    """The conda file with the lines of every `-r FILE` in its place; other lines stay as they are.

    folder: where the files are. Raises CommandError if one is not there.
    """
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        entry = _ENTRY.fullmatch(line.rstrip("\n"))
        if entry is None:
            lines.append(line)
        else:
            included = _requirements(found, key, folder / entry["file"], ())
            lines += [f"{entry['dash']}{json.dumps(each)}\n" for each in included]
    return "".join(lines)


def inlined(found: Document, key: Key, value: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The same of a conda file that stands in the YAML file itself."""
    dependencies = [_pip_inlined(found, key, each, folder) for each in _listed(value)]
    return {**value, "dependencies": dependencies} if "dependencies" in value else dict(value)


def yaml_text(value: Mapping[str, Any]) -> str:
    """The text of a conda file, a requirement a line, so that errors tell them apart."""
    text, writer = StringIO(), YAML(typ="safe", pure=True)
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.default_flow_style = False
    writer.dump(dict(value), text)
    return text.getvalue()


def _listed(value: Mapping[str, Any]) -> list[Any]:
    listed = value.get("dependencies")
    return listed if isinstance(listed, list) else []


def _pip_inlined(found: Document, key: Key, entry: Any, folder: Path) -> Any:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("pip"), list):
        return entry
    lines: list[Any] = []
    for line in entry["pip"]:
        include = _LINE.fullmatch(str(line))
        lines += _requirements(found, key, folder / include["file"], ()) if include else [line]
    return {**entry, "pip": lines}


def _requirements(found: Document, key: Key, path: Path, within: tuple[Path, ...]) -> Iterator[str]:
    """The requirements of a file and of those that it includes, without comments."""
    if path.resolve() in within:
        raise found.error(key, f"{path} includes itself")
    if not path.is_file():
        raise found.error(key, f"there is no file {path}, which the conda file includes")
    for raw in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        line = " ".join(_COMMENT.sub("", raw).split())
        if include := _LINE.fullmatch(line):
            inner = path.parent / include["file"]
            yield from _requirements(found, key, inner, (*within, path.resolve()))
        elif line:
            yield line
