"""The file MLTable of a table asset: which files it is made of. Its transformations are not read.

Parsed as data: nothing that it says is run. Source: CLI (v2) MLTable YAML schema,
learn.microsoft.com.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lazulite.core.errors import SpecError

NAME = "MLTable"
MOST_BYTES = 1 << 16
SORTS = ("file", "folder", "pattern")


@dataclasses.dataclass(frozen=True)
class Part:
    """One of the paths. sort: file, folder or pattern; text: relative to the table, or a URI."""

    sort: str
    text: str


def read_table(folder: Path) -> list[Part]:
    """The paths of the table in a folder, or in a file. Blocks. Raises SpecError."""
    path = folder / NAME if folder.is_dir() else folder
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _invalid(
            f"the folder has no file {NAME} that can be read ({error.strerror})"
        ) from error
    if len(text) > MOST_BYTES:
        raise _invalid(f"it has more than {MOST_BYTES} bytes")
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise _invalid(f"it is no YAML ({str(error)[:300]})") from error
    return _parts(found)


def _parts(found: Any) -> list[Part]:
    listed = found.get("paths") if isinstance(found, Mapping) else None
    if not isinstance(listed, list) or not listed:
        raise _invalid("it has no list named paths")
    return [_part(item) for item in listed]


def _part(item: Any) -> Part:
    named = [sort for sort in SORTS if isinstance(item, Mapping) and item.get(sort)]
    if len(named) != 1 or not isinstance(item[named[0]], str):
        raise _invalid(f"each of its paths is one of file, folder and pattern, not {item!r:.200}")
    return Part(named[0], item[named[0]])


def _invalid(why: str) -> SpecError:
    return SpecError("InvalidTable", f"The {NAME} cannot be used: {why}.")
