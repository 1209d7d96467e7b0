"""The files that failed in an earlier job, for a job that runs only these.

They are read from the earlier job's folder, which only the server writes: the copy among its
artifacts is for people, who could name any file of this machine in it.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from lazulite.batch.failures import FILE
from lazulite.batch.inputs import FILE as INPUTS
from lazulite.batch.inputs import Input, InputsFile
from lazulite.batch.job import Job
from lazulite.core.errors import SpecError
from lazulite_worker.batch_inputs import RowRange


def failed_inputs(folder: Path, inputs: Sequence[Input]) -> list[bytes | RowRange]:
    """Where those files, and parts of tables, are now, in the order of that job's inputs.

    inputs: the same data as that job's, which may have been fetched anew, to another place. Where
    run() returned too few results, all files of the mini-batch count. Raises SpecError if the
    earlier job or a file is not there any more, or if a table that was cut has changed.
    """
    if not (folder / FILE).exists():
        raise SpecError(
            "InputNotFound",
            f"There is no {folder / FILE}: the earlier job was deleted meanwhile. Invoke the "
            "endpoint with the files themselves.",
            target="inputs",
        )
    before, failed = Job.load(folder / "job.json").inputs, _failed(folder / FILE)
    earlier = InputsFile(folder)
    try:
        batches = earlier.read()
    finally:
        earlier.close()
    listed_at = (folder / INPUTS).stat().st_mtime
    places = {root.path: now.path for root, now in zip(before, inputs, strict=False)}
    found = list[bytes | RowRange]()
    for mini_batch in sorted(failed):
        names = failed[mini_batch]
        if (part := batches.row_range(mini_batch)) is not None:
            moved = _moved(part.path, places)
            _refuse_changed(moved, part, listed_at)
            found.append(part._replace(path=moved))
            continue
        paths = (path for path in batches[mini_batch] if None in names or path in names)
        found += [os.fsencode(_moved(path, places)) for path in paths]
    return found


def _failed(path: Path) -> dict[int, set[str | None]]:
    """The files by mini-batch; None for files that nobody can name."""
    found = defaultdict[int, set[str | None]](set)
    with path.open("rb") as file:
        for line in file:
            item = json.loads(line)
            found[item["mini_batch"]].add(item["file"])
    return found


def _moved(path: str, places: Mapping[str, str]) -> str:
    """The path below its input's new place. Raises SpecError if it is not there."""
    for root in (path, *map(str, Path(path).parents)):
        if root in places and Path(place := places[root] + path[len(root) :]).is_file():
            return place
    raise SpecError(
        "InputNotFound",
        f"{path} failed in the earlier job and is not there any more.",
        target="inputs",
    )


def _refuse_changed(table: str, part: RowRange, listed_at: float) -> None:
    """A part of a table is bytes of it: they must be those that were listed."""
    found = Path(table).stat()
    if found.st_mtime > listed_at or not part.is_of(found):
        raise SpecError(
            "InputChanged",
            f"{table} has changed, or was fetched anew, since the earlier job cut it into rows: "
            "its parts are not what they were. Invoke the endpoint with the whole table.",
            target="inputs",
        )
