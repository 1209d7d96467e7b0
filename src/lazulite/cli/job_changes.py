"""What can be changed of a job once it is there: its name to show, description, tags, its archive.

Source: spec/CLIENTS.md 10.1: clients change the run of a job, as a PUT would have to repeat it all.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from lazulite.cli import jobs
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import edited, pairs
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import TEXT, TEXTS, checked
from lazulite.cli.workspace import DATA_API_VERSION, Workspace

_RUN = {"display_name": "displayName", "description": "description", "tags": "tags"}
_SHAPE = {"display_name": TEXT, "description": TEXT, "tags": TEXTS}


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the options say, and show the job. Raises CommandError for what is fixed."""
    current = jobs.view(workspace.get(f"jobs/{arguments.name}", DATA_API_VERSION))
    before = {name: current.get(name) for name in _RUN}
    said = {
        "display_name": arguments.display_name,
        "description": arguments.description,
        "tags": pairs(arguments.tags, "--tags"),
    }
    chosen = {name: value for name, value in said.items() if value}
    changed = edited({**before, **chosen}, arguments)
    if fixed := set(changed) - set(_RUN):
        raise CommandError(
            "InvalidArgument",
            f"--set {min(fixed)}: a job that was submitted does not change; only"
            f" {', '.join(_RUN)} do. Submit another one.",
        )
    changed = checked(Document(changed), _SHAPE).values
    new = {_RUN[name]: changed[name] for name in changed if changed[name] != before[name]}
    if new:
        _patch(workspace, arguments.name, current, new)
    return jobs.show(workspace, arguments)


def archive(workspace: Workspace, arguments: Arguments) -> None:
    """Leave the job out of lists. A second call changes nothing."""
    _set_hidden(workspace, arguments.name, hidden=True)


def restore(workspace: Workspace, arguments: Arguments) -> None:
    """Undo archive."""
    _set_hidden(workspace, arguments.name, hidden=False)


def _set_hidden(workspace: Workspace, name: str, *, hidden: bool) -> None:
    job = jobs.view(workspace.get(f"jobs/{name}", DATA_API_VERSION))
    _patch(workspace, name, job, {"hidden": hidden})


def _patch(workspace: Workspace, name: str, job: dict[str, Any], body: dict[str, Any]) -> None:
    experiment = quote(str(job.get("experiment_name") or "Default"), safe="")
    path = workspace.id(f"experiments/{experiment}/runs/{quote(name, safe='')}")
    url = f"{workspace.connection.url}/history/v1.0{path}"
    workspace.call("PATCH", f"{url}?api-version=v1.0", body)
