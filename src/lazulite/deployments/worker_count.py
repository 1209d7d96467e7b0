"""How many processes an instance of an online deployment is: Azure's variable WORKER_COUNT."""

from __future__ import annotations

import re

from lazulite.core.errors import ArmError
from lazulite.store.resources import Json

NAME = "WORKER_COUNT"
MOST_WORKERS = 64
"""Per instance: each loads the model and has a socket of its own."""
_NUMBER = re.compile(r"0*[1-9][0-9]?")


def worker_count(properties: Json) -> int:
    """Processes per instance; 1 for what check_worker_count refuses, as older rows may have it."""
    return _read(properties) or 1


def check_worker_count(properties: Json) -> None:
    """Raises ArmError for what is no number of processes, or too many."""
    if _read(properties) is None:
        given = properties["environmentVariables"][NAME]
        raise ArmError(
            "ValidationError",
            f"{NAME} is {str(given)[:100]!r}: it must be a whole number from 1 to {MOST_WORKERS}. "
            "Have more instances if that is not enough.",
            target=f"environmentVariables.{NAME}",
        )


def _read(properties: Json) -> int | None:
    given = properties["environmentVariables"].get(NAME)
    text = "1" if given is None else str(given)
    count = int(text) if _NUMBER.fullmatch(text) else 0
    return count if 0 < count <= MOST_WORKERS else None
