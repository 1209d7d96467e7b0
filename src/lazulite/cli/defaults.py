"""What a person does not want to say with every command: kept in a file of the data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_FILE = Path("cli") / "defaults.json"


def read_defaults(data_dir: Path) -> dict[str, str]:
    """Fields of a Connection by their names. Nothing if none are kept, or the file is broken."""
    try:
        value = json.loads((data_dir / _FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def keep_defaults(data_dir: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Keep these besides those that are kept; an empty text forgets one. Returns what is kept."""
    kept = {name: text for name, text in {**read_defaults(data_dir), **given}.items() if text}
    place = data_dir / _FILE
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = place.with_suffix(".new")
    fresh.write_text(json.dumps(kept))
    fresh.replace(place)
    return kept
