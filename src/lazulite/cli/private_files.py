"""Small files of the data folder that only their user reads, replaced in one step."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(place: Path, text: str) -> None:
    """Have the file say this (0600); its folder is made. Several may do it at once: the last wins.

    Raises OSError, and leaves what was there.
    """
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{place.stem}.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(name).replace(place)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
