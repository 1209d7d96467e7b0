"""Who `lazulite login` signed in: kept in a private file of the data folder, for one server."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_FILE = Path("cli") / "sign-in.json"
SIGNED_OUT = "signed_out"
FIELDS = ("tenant_id", "client_id", "client_secret")


def read_sign_in(data_dir: Path, url: str) -> dict[str, str]:
    """Fields of a Connection to that server; {"signed_out": ...} after `logout`; else nothing."""
    try:
        found = json.loads((data_dir / _FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict) or found.get("url") != url:
        return {}
    kept = {str(name): str(text) for name, text in found.items()}
    return {name: kept[name] for name in (*FIELDS, SIGNED_OUT) if name in kept}


def keep_sign_in(data_dir: Path, url: str, given: Mapping[str, str]) -> None:
    """Keep it in the place of what was kept; readable by nobody else (0600)."""
    place = data_dir / _FILE
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".sign-in.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"url": url, **given}, file)
        Path(name).replace(place)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def forget_sign_in(data_dir: Path) -> None:
    """As if nobody had signed in or out; kept tokens go, too. Safe to repeat."""
    for place in (_FILE, Path("cli") / "tokens.json"):
        with suppress(FileNotFoundError):
            (data_dir / place).unlink()
