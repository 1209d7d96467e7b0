"""YAML files as plain values that still know the line and column each came from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lazulite.cli.errors import CommandError

Key = tuple[str | int, ...]
"""Where a value is: ("retry_settings", "timeout"), ("paths", 0)."""
_SPACED = re.compile(r"^([ \t]*(?:- +)?\w+:[ \t]*)azureml:[ \t]+([^\s#]+)", re.MULTILINE)
_UNSPACED = re.compile(r"^([ \t]*(?:- +)?\w+):(azureml:[^\s#]+)", re.MULTILINE)
_RELATIVE = ": paths are relative to the YAML file's folder"
_LOCAL = re.compile(r"file:(?!//)|azureml:(?=\.)")


@dataclasses.dataclass(frozen=True)
class Document:
    """The values of a YAML file, or of options alone. Paths in it are relative to its folder."""

    values: dict[str, Any]
    path: Path | None = None
    positions: Mapping[Key, tuple[int, int]] = dataclasses.field(default_factory=dict)
    """Line and column, counted from 1, of each value's key; of () for a part of a file."""
    within: Key = ()
    """Where in the file the values stand, if they are a part of it."""

    def changed(self, values: dict[str, Any]) -> Document:
        """The same file with other values."""
        return dataclasses.replace(self, values=values)

    def part(self, key: Key) -> Document:
        """The mapping at a key, as a document of the same file."""
        value: Any = self.values
        for step in key:
            value = value[step]
        depth = len(key)
        positions = {
            place[depth:]: at for place, at in self.positions.items() if place[:depth] == key
        }
        return Document(dict(value), self.path, positions, (*self.within, *key))

    def file(self, key: Key, text: str) -> Path:
        """The file or folder that a value names, be it as `file:./x` or `azureml:./x`.

        Raises CommandError if it is not there.
        """
        folder = self.path.parent if self.path else Path()
        found = folder / Path(_LOCAL.sub("", text, count=1)).expanduser()
        if not found.exists():
            begin = "" if Path(text).is_absolute() or not self.path else _RELATIVE
            raise self.error(key, f"there is no file or folder {found}{begin}")
        return found

    def error(self, key: Key, reason: str) -> CommandError:
        """The reason, with the file, line and column of the value or of what it should be in."""
        name = _dotted((*self.within, *key))
        place = f"{self.place(key)}: " if self.path else ""
        code = "InvalidFile" if self.path else "InvalidArgument"
        return CommandError(code, f"{place}{name}: {reason}" if name else place + reason)

    def place(self, key: Key) -> str:
        """Where the value is, or what it should be in, as path:line:column; "" without a file."""
        for length in range(len(key), -1, -1):
            if self.path and (position := self.positions.get(key[:length])):
                return f"{self.path}:{position[0]}:{position[1]}"
        return str(self.path or "")


def read(path: Path) -> Document:
    """The file as a document. Raises CommandError if it is missing, no YAML, or no mapping."""
    try:
        tree = _tree(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        raise _unreadable(path, error) from error
    except FileNotFoundError as error:
        rule = f"There is no file {path.absolute()}: --file is relative to the working folder."
        raise CommandError("InvalidFile", rule) from error
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise CommandError("InvalidFile", f"{path} cannot be read: {error}") from error
    if not isinstance(tree, CommentedMap):
        raise CommandError("InvalidFile", f"{path}:1:1: a mapping (`key: value` lines) is needed")
    positions: dict[Key, tuple[int, int]] = {}
    values = _plain(tree, (), positions)
    values.pop("$schema", None)
    return Document(values, path, positions)


def is_local(text: str) -> bool:
    """Whether a path is marked as one of this machine: file:./x, azureml:./x."""
    return _LOCAL.match(text) is not None


def _tree(text: str) -> Any:
    """The nodes of YAML, and of two forms that documents have and YAML has not.

    `model: azureml: m:1` would need quotes, `model:azureml:m:1` a space behind the first colon.
    """
    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError:
        mended = _UNSPACED.sub(r"\1: \2", _SPACED.sub(r"\1azureml:\2", text))
        if mended == text:
            raise
        return YAML(typ="rt", pure=True).load(mended)


def _plain(node: Any, key: Key, positions: dict[Key, tuple[int, int]]) -> Any:
    if isinstance(node, CommentedMap):
        for name in node:
            line, column = node.lc.key(name) if name in (node.lc.data or {}) else (0, 0)
            positions[(*key, name)] = (line + 1, column + 1)
        return {str(name): _plain(value, (*key, name), positions) for name, value in node.items()}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            line, column = node.lc.item(index)
            positions[(*key, index)] = (line + 1, column + 1)
        return [_plain(value, (*key, index), positions) for index, value in enumerate(node)]
    return _scalar(node)


def _scalar(node: Any) -> Any:
    """The subclasses of str, int and float, by which ruamel remembers quotes, as plain ones."""
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return None if node is None else str(node)


def _unreadable(path: Path, error: MarkedYAMLError) -> CommandError:
    mark = error.problem_mark or error.context_mark
    place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    said = " ".join(part for part in (error.context, error.problem) if part)
    return CommandError("InvalidFile", f"{path}{place}: this is not YAML: {said.splitlines()[0]}")


def _dotted(key: Key) -> str:
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
