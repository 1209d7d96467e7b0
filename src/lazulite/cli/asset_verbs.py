"""What can be asked of models, environments, data, datasets and components alike."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.workspace import Workspace


@dataclasses.dataclass(frozen=True)
class Verbs:
    """The bodies of the commands of one collection."""

    collection: str
    """As in ids: "models"."""
    view: Callable[[Mapping[str, Any]], dict[str, Any]]
    """A version as az prints it."""

    def show(self, workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
        """A version: that of --version or --label, else the latest one."""
        return self.view(assets.find(workspace, self.collection, arguments))

    def listing(self, workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
        """All names, or all versions of one; archived ones if asked for."""
        which = assets.shown_ones(arguments)
        found = assets.listed(workspace, self.collection, arguments.name, **which)
        return [self.view(item) for item in itertools.islice(found, arguments.max_results)]

    def update(self, workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
        """Change tags, description and properties of a version; its content does not change."""
        return self.view(assets.update(workspace, self.collection, arguments))

    def delete(self, workspace: Workspace, arguments: Arguments) -> None:
        """Delete a version; its files stay. Raises CommandError if it is not there."""
        path = f"{self.collection}/{arguments.name}/versions/{arguments.version}"
        version = assets.api_version(self.collection)
        workspace.get(path, version)
        workspace.arm("DELETE", path, version=version)

    def archive(self, workspace: Workspace, arguments: Arguments) -> None:
        """Leave the asset, or one version, out of lists. It can still be used."""
        assets.set_archived(workspace, self.collection, arguments, archived=True)

    def restore(self, workspace: Workspace, arguments: Arguments) -> None:
        """Undo archive."""
        assets.set_archived(workspace, self.collection, arguments, archived=False)
