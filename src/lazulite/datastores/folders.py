"""Folders of this machine as datastores: only below those that the administrator has listed.

Links are followed when a folder is checked, so that none leads out of what is allowed.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lazulite.core.errors import LazuliteError, SpecError


class FolderNotAllowedError(LazuliteError):
    """The folder is not below one that the setting local_folders lists."""


@dataclasses.dataclass(frozen=True)
class LocalFolders:
    """The folders of the setting local_folders."""

    allowed: tuple[Path, ...] = ()

    def check(self, folder: str) -> Path:
        """The folder without links. Raises FolderNotAllowedError."""
        real = Path(folder).resolve()
        if any(real.is_relative_to(root.resolve()) for root in self.allowed):
            return real
        listed = ", ".join(map(str, self.allowed)) or "none"
        raise FolderNotAllowedError(
            "LocalFolderNotAllowed",
            f"The folder {folder[:200]!r} is not below one that datastores may name (there are: "
            f"{listed}): list it in LAZULITE_LOCAL_FOLDERS when the server is started.",
            target="folder",
        )

    def inside(self, folder: str, path: str) -> Path:
        """The real path of something in a folder. Raises SpecError if it leads elsewhere."""
        try:
            root = self.check(folder)
        except FolderNotAllowedError as error:
            raise SpecError(error.code, error.message, target=error.target) from error
        real = (root / path).resolve()
        if not real.is_relative_to(root):
            raise SpecError(
                "DataNotReachable",
                f"The path {path[:200]!r} leads out of the datastore's folder, by a link: copy the "
                "data into the folder.",
            )
        return real
