"""The logs of replica sets that are no more: of the last few generations of each deployment."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from pathlib import Path

GENERATIONS = 3
"""Of one deployment; each replica has at most two files of KeeperSpec.log_limit."""


@dataclasses.dataclass(frozen=True)
class KeptLogs:
    """One folder with a folder for each set."""

    folder: Path

    def keep(self, name: str, logs: Path) -> None:
        """Take over the files of a set that ended. Those of an earlier keeper of it become `.1`.

        A second call finds nothing and changes nothing.
        """
        found = sorted(logs.glob("replica-*.log*"))
        if not found:
            return
        to = self.folder / name
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in found:
            place = to / path.name
            with contextlib.suppress(FileNotFoundError):
                if path.suffix == ".log" and place.exists():
                    place.replace(to / f"{path.name}.1")
                path.replace(place)
        self._drop_older(name)

    def of(self, name: str) -> list[Path]:
        """The newest log file of each replica of a set."""
        return sorted((self.folder / name).glob("replica-*.log"))

    def before(self, name: str) -> list[Path]:
        """The same of the newest generation before this one that has any."""
        uid, _, generation = name.rpartition("-")
        earlier = [each for each in self._generations(uid) if each < int(generation)]
        return self.of(f"{uid}-{earlier[-1]}") if earlier else []

    def drop(self, before: float) -> None:
        """Remove sets that ended before a time (seconds since 1970), as those of what is gone."""
        for path in list(self.folder.glob("*-*")):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    shutil.rmtree(path, ignore_errors=True)

    def _drop_older(self, name: str) -> None:
        uid = name.rpartition("-")[0]
        for generation in self._generations(uid)[:-GENERATIONS]:
            shutil.rmtree(self.folder / f"{uid}-{generation}", ignore_errors=True)

    def _generations(self, uid: str) -> list[int]:
        ends = (path.name.rpartition("-")[2] for path in self.folder.glob(f"{uid}-*"))
        return sorted(int(end) for end in ends if end.isdecimal())
