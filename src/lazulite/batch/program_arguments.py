"""Arguments of a batch job's program: what Azure's driver reads of them, and all for the script.

Source: spec/BATCH.md 1.3 (allowed failures) and 1.5 (tuning arguments).
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

LONGEST_S = 259_200


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProgramArguments:
    """What arguments say to the job; the script finds them all in sys.argv."""

    words: tuple[str, ...] = ()
    first_task_creation_timeout_s: float = 600.0
    """From the start of a process to the end of init()."""
    allowed_failed_count: int | None = None
    """Mini-batches that may fail."""
    allowed_failed_percent: float | None = None
    """The same as a share of all; looked at when the last one is decided."""


def read_arguments(text: str) -> ProgramArguments:
    """The arguments as a shell would split them. Raises ValueError naming argument and rule."""
    words = shlex.split(text)
    given = dict(_pairs(words))
    seconds = _number(given, "first_task_creation_timeout", LONGEST_S)
    if seconds == 0:
        raise ValueError("--first_task_creation_timeout is 0; it must be more")
    count = _number(given, "allowed_failed_count", 1 << 31)
    return ProgramArguments(
        words=tuple(words),
        first_task_creation_timeout_s=600.0 if seconds is None else seconds,
        allowed_failed_count=None if count is None else int(count),
        allowed_failed_percent=_number(given, "allowed_failed_percent", 100),
    )


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """--name value and --name=value, by name; what is not of this form is the script's."""
    for word, following in pairwise([*words, ""]):
        if word.startswith("--"):
            name, separator, value = word.removeprefix("--").partition("=")
            yield name, value if separator else following


def _number(given: dict[str, str], name: str, most: float) -> float | None:
    if name not in given:
        return None
    try:
        number = float(given[name])
    except ValueError:
        number = -1.0
    if not 0 <= number <= most or (name.endswith("count") and not number.is_integer()):
        rule = "a whole number" if name.endswith("count") else "a number"
        raise ValueError(f"--{name} is {given[name]!r}; it must be {rule} from 0 to {most}")
    return number
