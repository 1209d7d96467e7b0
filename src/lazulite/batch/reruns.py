"""The files that failed in an earlier job, for a job that runs only these.

They are read from the earlier job's folder, which only the server writes: the copy among its
artifacts is for people, who could name any file of this machine in it.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lazulite.batch.failures import FILE
from lazulite.batch.inputs import Input, InputsFile
from lazulite.batch.job import Job
from lazulite.core.errors import SpecError
from lazulite_worker.batch_inputs import RowRange


def failed_inputs(folder: Path, inputs: Sequence[Input]) -> list[bytes | RowRange]:
    """Where those files, and parts of tables, are now, in the order of that job's inputs.

    inputs: the same data as that job's, which may have been fetched anew, to another place. Where
    run() returned too few results, all files of the mini-batch count. Raises SpecError if the
    earlier job or a file is not there any more.
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
    roots = list(zip(before, inputs, strict=False))
    found = list[bytes | RowRange]()
    for mini_batch in sorted(failed):
        names = failed[mini_batch]
        if (part := batches.row_range(mini_batch)) is not None:
            moved = os.fsdecode(_moved(part.path, roots))
            found.append(part._replace(path=moved))
            continue
        paths = (path for path in batches[mini_batch] if None in names or path in names)
        found += [_moved(path, roots) for path in paths]
    return found


def _failed(path: Path) -> dict[int, set[str | None]]:
    """The files by mini-batch; None for files that nobody can name."""
    found = defaultdict[int, set[str | None]](set)
    for line in path.read_bytes().splitlines():
        item = json.loads(line)
        found[item["mini_batch"]].add(item["file"])
    return found


def _moved(path: str, roots: Sequence[tuple[Input, Input]]) -> bytes:
    """The path below the input's new place. Raises SpecError if it is not there."""
    for before, now in roots:
        inside = path.removeprefix(before.path)
        if inside == path or inside[:1] not in {"", "/"}:
            continue
        if (place := Path(now.path + inside)).is_file():
            return os.fsencode(place)
    raise SpecError(
        "InputNotFound",
        f"{path} failed in the earlier job and is not there any more.",
        target="inputs",
    )
