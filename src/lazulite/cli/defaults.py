"""What a person does not want to say with every command: kept in a file of the data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lazulite.cli.private_files import replace_file

_FILE = Path("cli") / "defaults.json"


def place_of_defaults(data_dir: Path) -> Path:
    """The file that keeps them, whether it is there or not."""
    return data_dir / _FILE


def read_defaults(data_dir: Path) -> dict[str, str]:
    """Fields of a Connection by their names. Nothing if none are kept, or the file is broken."""
    try:
        value = json.loads(place_of_defaults(data_dir).read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def keep_defaults(data_dir: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Keep these besides those that are kept; an empty text forgets one. Returns what is kept."""
    kept = {name: text for name, text in {**read_defaults(data_dir), **given}.items() if text}
    replace_file(place_of_defaults(data_dir), json.dumps(kept))
    return kept
