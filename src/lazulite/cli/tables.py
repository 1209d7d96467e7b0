"""What `-o table` shows: some columns of each resource, each value on one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def columns_of(name: str, known: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    """The columns of a command: those of the most words that its name begins with; None: all."""
    words = name.split()
    begins = (" ".join(words[:count]) for count in range(len(words), 0, -1))
    return next((known[begin] for begin in begins if begin in known), None)


def rows(columns: Sequence[str], result: Any) -> Any:
    """Columns of the resources in a result, for -o table; any other result as it is."""
    if isinstance(result, list):
        return [rows(columns, item) for item in result]
    if not isinstance(result, Mapping) or columns[0] not in result:
        return result
    shown = {name: result[name] for name in columns if result.get(name) is not None}
    return {_header(name): _cell(value) for name, value in shown.items()}


def _header(name: str) -> str:
    """As knack writes it, which leaves out what is called id or type."""
    return name[:1].upper() + name[1:]


def _cell(value: Any) -> Any:
    """A mapping as name=value, the reason of an error, and of a text its last line."""
    if isinstance(value, Mapping):
        value = value["code"] if "code" in value else _pairs(value)
    lines = str(value).split("\n") if isinstance(value, str) else []
    return next((line for line in reversed(lines) if line.strip()), "") if lines else value


def _pairs(value: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={item}" for key, item in value.items())
