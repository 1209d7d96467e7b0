"""Changes given as options: --set a.b[0].c=v, --add, --remove, --traffic "blue=90 green=10"."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError

_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")


def edited(values: Mapping[str, Any], arguments: Arguments) -> dict[str, Any]:
    """A copy of the values with what --set, then --add, then --remove say.

    Raises CommandError for a path that leads nowhere, and for what cannot be removed.
    """
    plain = arguments.force_string
    changed = apply(values, arguments.set_values, force_string=plain)
    for path, *given in arguments.add_values:
        _add(changed, path, [*_items(given, path, force_string=plain)])
    for words in arguments.remove_values:
        _remove(changed, words)
    return changed


def apply(
    values: Mapping[str, Any], assignments: Iterable[str], *, force_string: bool = False
) -> dict[str, Any]:
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
        _assign(changed, steps(path), text if force_string else _parse(text), f"--set {assignment}")
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


def _items(given: Iterable[str], path: str, *, force_string: bool) -> Iterator[Any]:
    """What --add adds: words with an equals sign are the fields of one item."""
    fields: dict[str, Any] = {}
    for word in given:
        value = word if force_string else _parse(word)
        name, separator, text = word.partition("=")
        if separator and name and value == word:
            fields[name] = text if force_string else _parse(text)
        else:
            yield value
    if fields:
        yield fields


def _add(target: dict[str, Any], path: str, items: list[Any]) -> None:
    option = f"--add {path}"
    if not items:
        raise CommandError("InvalidArgument", f"{option} says nothing to add.")
    holder = _walk(target, steps(path), [], option)
    if not isinstance(holder, list):
        raise CommandError("InvalidArgument", f"{option}: that is no list; use --set.")
    holder += items


def _remove(target: dict[str, Any], words: list[str]) -> None:
    option = f"--remove {' '.join(words)}"
    path = steps(words[0])
    if len(words) > 1:
        path += steps(f"[{words[1]}]")
    holder = _walk(target, path[:-1], {}, option)
    try:
        del holder[path[-1]]
    except (KeyError, IndexError, TypeError):
        raise _nowhere(option, path[-1]) from None


def _walk(target: Any, path: list[str | int], empty: Any, option: str) -> Any:
    """What is at the path; what is missing on the way is made."""
    for index, step in enumerate(path):
        following = path[index + 1] if index + 1 < len(path) else None
        made = empty if following is None else [] if isinstance(following, int) else {}
        target = _enter(target, step, made, option)
    return target


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _assign(target: Any, path: list[str | int], value: Any, assignment: str) -> None:
    last = path[-1]
    target = _walk(target, path[:-1], [] if isinstance(last, int) else {}, assignment)
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
        "InvalidArgument", f"{assignment!r} leads nowhere: there is no {step!r} to go to."
    )
