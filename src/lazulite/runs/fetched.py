"""Which fetched data unfinished jobs read: what job.json names."""

from __future__ import annotations

import re
from pathlib import Path

from lazulite.runs.status import ENDED
from lazulite.store.files import read_json

FOLDER = "fetched"
"""Below the data folder: where data of other servers are kept."""
KEY = re.compile(rf"/{FOLDER}/([0-9a-f]{{32}})/")


def keys_in_use(jobs: Path) -> set[str]:
    """The keys of entries that jobs may still read. jobs: the folder with a folder for each."""
    found: set[str] = set()
    for job in jobs.glob("*/job.json"):
        progress = read_json(job.parent / "progress.json") or {}
        if progress.get("state") not in ENDED:
            found |= set(KEY.findall(job.read_text()))
    return found
