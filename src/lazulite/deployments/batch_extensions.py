"""What batch scoring here can do beyond Azure's, asked for by properties named `lazulite.*`.

They stand among the `properties` of a deployment or of an invocation, whose own win. Those of a
deployment are checked when it is written, so that no job fails of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from lazulite.batch.formats import FORMATS
from lazulite.batch.program_arguments import ProgramArguments, read_arguments
from lazulite.core.errors import ArmError
from lazulite.store.resources import Json

OUTPUT_FORMAT = "lazulite.output_format"
PROGRAM_ARGUMENTS = "lazulite.program_arguments"
RERUN_FAILED = "lazulite.rerun_failed"
MINI_BATCH = "lazulite.mini_batch"
PREFIX = "lazulite."
OF_DEPLOYMENTS = (OUTPUT_FORMAT, PROGRAM_ARGUMENTS, MINI_BATCH)
OF_JOBS = (*OF_DEPLOYMENTS, RERUN_FAILED)
AZURE = "azure"
"""The output format that is none: rows as Azure writes them."""
FILES = "files"
"""Mini-batches as in Azure: a table is a file as any other."""
_ROWS = re.compile(r"rows:([1-9][0-9]{0,9})")
DEFAULT_FILE_NAME = "predictions.csv"

Given = Mapping[str, str | None]


def check_extensions(given: Given, names: Collection[str]) -> None:
    """Raise ArmError 400 for a value that a property cannot have.

    names: those that there are; another one that begins alike is a slip, and is refused, too.
    """
    for name in given:
        if name.lower().startswith(PREFIX) and name not in names:
            raise _refused(name, f"is not known here; there are {', '.join(names)}")
    known = (AZURE, *FORMATS)
    if (given.get(OUTPUT_FORMAT) or AZURE) not in known:
        said = f"{given[OUTPUT_FORMAT]!r}; it must be one of {', '.join(known)}"
        raise _refused(OUTPUT_FORMAT, f"is {said}")
    rows_each(given.get(MINI_BATCH))
    try:
        read_arguments(given.get(PROGRAM_ARGUMENTS) or "")
    except ValueError as error:
        raise _refused(PROGRAM_ARGUMENTS, f"cannot be taken: {error}") from error


def merged(deployment: Given, invocation: Given) -> Json:
    """The properties that hold for a job."""
    both = {**deployment, **invocation}
    return {name: both[name] for name in OF_DEPLOYMENTS if both.get(name)}


def file_name(name: str, extensions: Given) -> str:
    """The name of the output: the default one gets the ending of another format."""
    chosen = _format(extensions)
    if not chosen or name != DEFAULT_FILE_NAME:
        return name
    return f"{Path(name).stem}.{chosen}"


def job_fields(extensions: Given) -> Json:
    """The fields of a supervisor's job.json."""
    found: ProgramArguments = read_arguments(extensions.get(PROGRAM_ARGUMENTS) or "")
    return {
        "rows_per_mini_batch": rows_each(extensions.get(MINI_BATCH)),
        "output_format": _format(extensions),
        "arguments": found.words,
        "init_timeout_s": found.first_task_creation_timeout_s,
        "allowed_failed_count": found.allowed_failed_count,
        "allowed_failed_percent": found.allowed_failed_percent,
    }


def rows_each(said: str | None) -> int:
    """Rows of a mini-batch of a table; 0 for whole files. Raises ArmError 400."""
    if (said or FILES) == FILES:
        return 0
    rows = _ROWS.fullmatch(said or "")
    if rows is None:
        told = f"is {said!r}; it must be {FILES}, or rows:<number> to have CSV, JSON lines and "
        raise _refused(MINI_BATCH, told + "Parquet cut into so many rows for each run()")
    return int(rows[1])


def _format(extensions: Given) -> str:
    chosen = extensions.get(OUTPUT_FORMAT) or AZURE
    return "" if chosen == AZURE else chosen


def _refused(name: str, what: str) -> ArmError:
    return ArmError("BadArgument", f"The property {name} {what}.", target=f"properties.{name}")
