"""The property that has tables cut into mini-batches of rows: an extension, Azure counts files.

It stands among the `properties` of a deployment, or of an invocation, whose own wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lazulite.core.errors import ArmError

MINI_BATCH = "lazulite.mini_batch"
FILES = "files"
"""As in Azure: a table is a file as any other."""
_ROWS = re.compile(r"rows:([1-9][0-9]{0,9})")


def rows_each(*given: Mapping[str, Any]) -> int:
    """Rows of a mini-batch, 0 for whole files; of several maps the first that says so holds.

    Raises ArmError 400 for another value.
    """
    said = next((found[MINI_BATCH] for found in given if found.get(MINI_BATCH)), FILES)
    if said == FILES:
        return 0
    rows = _ROWS.fullmatch(str(said))
    if rows is None:
        raise ArmError(
            "BadArgument",
            f"The property {MINI_BATCH} is {said!r}; it must be {FILES}, or rows:<number> to have "
            "CSV, JSON lines and Parquet cut into so many rows for each run().",
            target=f"properties.{MINI_BATCH}",
        )
    return int(rows[1])
