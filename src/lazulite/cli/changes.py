"""Changes given as options: --set a.b[0].c=v, --traffic "blue=90 green=10"."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from lazulite.cli.errors import CommandError

_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")


def apply(values: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """A copy of the values with every `path=value` done, in order.

    A value is read as JSON where it is JSON (numbers, true, null, lists), else it is a text.
    Mappings that a path goes through are made as needed; list items must exist, but for the one
    after the last. Raises CommandError on a path that leads nowhere.
    """
    changed = copy.deepcopy(dict(values))
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        if not separator or not path:
            raise CommandError(
                "InvalidArgument",
                f"--set {assignment!r} is not path=value; write --set retry_settings.timeout=30.",
            )
        _assign(changed, steps(path), _parse(text), assignment)
    return changed


def steps(path: str) -> list[str | int]:
    """The parts of a path: a.b[0].c is "a", "b", 0, "c". Raises CommandError on anything else."""
    found = list(_STEP.finditer(path))
    rebuilt = "".join(
        part.group(0) if part.group(2) is not None else f".{part.group(1)}" for part in found
    )
    if not found or rebuilt.lstrip(".") != path:
        raise CommandError("InvalidArgument", f"{path!r} is not a path like a.b[0].c.")
    return [int(part.group(2)) if part.group(2) else str(part.group(1)) for part in found]


def percentages(pairs: Iterable[str], option: str = "--traffic") -> dict[str, int]:
    """{"blue": 90, "green": 10} from "blue=90 green=10", "blue=90,green=10" or "blue:90"."""
    found: dict[str, int] = {}
    for pair in re.split(r"[\s,]+", " ".join(pairs).strip()):
        name, separator, text = pair.replace(":", "=").partition("=")
        if not separator or not name or not text.rstrip("%").isdigit():
            raise CommandError(
                "InvalidArgument",
                f'{option} {pair!r} is not deployment=percent; write {option} "blue=90 green=10".',
            )
        found[name] = int(text.rstrip("%"))
    return found


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """{"a": "1"} from a=1 b=2. Raises CommandError on what has no equals sign."""
    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise CommandError("InvalidArgument", f"{option} {text!r} is not name=value.")
        found[name] = value
    return found


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _assign(target: Any, path: list[str | int], value: Any, assignment: str) -> None:
    for step, following in pairwise(path):
        target = _enter(target, step, [] if isinstance(following, int) else {}, assignment)
    last = path[-1]
    if isinstance(last, int) and isinstance(target, list) and -len(target) <= last <= len(target):
        target[last : last + 1 or None] = [value]
    elif isinstance(last, str) and isinstance(target, dict):
        target[last] = value
    else:
        raise _nowhere(assignment, last)


def _enter(target: Any, step: str | int, empty: Any, assignment: str) -> Any:
    if isinstance(step, str) and isinstance(target, dict):
        if target.get(step) is None:
            target[step] = empty
        return target[step]
    if isinstance(step, int) and isinstance(target, list) and -len(target) <= step < len(target):
        return target[step]
    raise _nowhere(assignment, step)


def _nowhere(assignment: str, step: str | int) -> CommandError:
    return CommandError(
        "InvalidArgument", f"--set {assignment!r} leads nowhere: there is no {step!r} to go to."
    )
