"""Where a server keeps what: one data folder, and a short run folder for sockets."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import lazulite_worker
from lazulite.core.settings import SettingError


@dataclasses.dataclass(frozen=True)
class Layout:
    """The folders and files of one server."""

    data: Path
    run: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data / "lazulite.db"

    @property
    def lock(self) -> Path:
        """Held while a control plane runs; names its pid."""
        return self.data / "lock"

    @property
    def state(self) -> Path:
        """What commands need to know of a running server."""
        return self.data / "server.json"

    @property
    def log(self) -> Path:
        """The log of a detached server."""
        return self.data / "server.log"

    @property
    def control_socket(self) -> Path:
        """Where the front door reaches the control plane."""
        return self.run / "control.sock"

    @property
    def local_endpoints(self) -> Path:
        """What endpoints without a server (`--local`) are, a file each; nothing need be there."""
        return self.data / "local" / "endpoints"

    def folder(self, name: str) -> Path:
        """A folder inside the data folder, made if need be."""
        path = self.data / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def worker_path(self) -> Path:
        """A folder with lazulite_worker and nothing else, for user code to import from.

        The package's own parent may be a site-packages folder, whose other content user code must
        not see.
        """
        package = Path(lazulite_worker.__file__).parent
        link = self.folder("worker") / package.name
        if not link.is_symlink() or link.readlink() != package:
            link.unlink(missing_ok=True)
            link.symlink_to(package)
        return link.parent

    def make(self) -> None:
        """Make both folders. Raises SettingError if the run folder is somebody else's."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self.run.lstat()
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise SettingError(
                "RunFolderNotPrivate",
                f"The folder {str(self.run)!r} for sockets must be yours alone (mode 0700): remove "
                "it, or set XDG_RUNTIME_DIR to a private folder.",
            )
