"""Why a command failed, as far as its log tells: the last traceback, or else the last lines."""

from __future__ import annotations

import os
from pathlib import Path

from lazulite.executors.links import opener_without_links

_READ = 64 << 10  # bytes of the log's end
_LONGEST = 4000  # characters
_LINES = 10
_TRACEBACK = "Traceback (most recent call last):"


def last_words(log: Path) -> str:
    """The end of the log that says most; empty if there is none."""
    try:
        with open(log, "rb", opener=opener_without_links) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _READ))
            text = file.read().decode(errors="replace").rstrip()
    except OSError:
        return ""
    start = text.rfind(_TRACEBACK)
    told = text[start:] if start >= 0 else "\n".join(text.splitlines()[-_LINES:])
    return told[-_LONGEST:]
