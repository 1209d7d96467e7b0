"""What an update of an endpoint of 2021-05 changes, and whether that may be done at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli.errors import CommandError

Values = Mapping[str, Any]
_ELEMENTS = {
    "scale settings": "instance_count",
    "code": "code_configuration",
    "model": "model",
    "environment": "environment",
}


def changes(before: Values, after: Values) -> list[str]:
    """The elements that differ between a deployment that is there and what it is to be."""
    found = []
    for element, field in _ELEMENTS.items():
        default = 1 if field == "instance_count" else None
        old, new = before.get(field) or default, after.get(field) or default
        if _folded(old) != _folded(new):
            found.append(element)
    return found


def traffic_differs(before: Values | None, after: Values | None) -> bool:
    """Whether other deployments get requests, or other shares of them."""
    return _shares(before) != _shares(after)


def refuse_several(changed: list[str]) -> None:
    """Raise CommandError if an update changes more than one element. Source: seed 002, update."""
    if len(changed) > 1:
        raise CommandError(
            "SeveralChanges",
            "One update may change one of traffic, scale settings, code, model and environment;"
            f" this one changes {', '.join(changed)}. Make an update of each.",
        )


def _shares(traffic: Values | None) -> dict[str, int]:
    return {name.lower(): share for name, share in (traffic or {}).items() if share}


def _folded(value: Any) -> Any:
    """Names in ids compare without case."""
    if isinstance(value, Mapping):
        return {key: _folded(item) for key, item in value.items()}
    return value.lower() if isinstance(value, str) else value
