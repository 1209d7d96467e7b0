"""Who `lazulite login` signed in: kept in a private file of the data folder, for one server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lazulite.cli.private_files import replace_file

_FILE = Path("cli") / "sign-in.json"
SIGNED_OUT = "signed_out"
BY_DEVICE = "by_device"
FIELDS = ("tenant_id", "client_id", "client_secret")


def read_sign_in(data_dir: Path, url: str) -> dict[str, str]:
    """Fields of a Connection to that server; {"signed_out": ...} after `logout`; else {}."""
    try:
        found = json.loads((data_dir / _FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict) or found.get("url") != url:
        return {}
    kept = {str(name): str(text) for name, text in found.items()}
    return {name: kept[name] for name in (*FIELDS, SIGNED_OUT, BY_DEVICE) if name in kept}


def keep_sign_in(data_dir: Path, url: str, given: Mapping[str, str]) -> None:
    """Keep it in the place of what was kept; readable by nobody else (0600)."""
    replace_file(data_dir / _FILE, json.dumps({"url": url, **given}))


def forget_sign_in(data_dir: Path) -> None:
    """As if nobody had signed in or out; kept tokens go, too. Safe to repeat."""
    for place in (_FILE, Path("cli") / "tokens.json"):
        with suppress(FileNotFoundError):
            (data_dir / place).unlink()
