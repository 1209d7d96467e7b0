"""`environment`: builds on request, and what is built on the server's machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lazulite.cli import environments
from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError, InterruptedCommandError, explain
from lazulite.cli.wire import snake_keys
from lazulite.cli.workspace import API_VERSION, Workspace

_PAUSE_S = 0.3
_GIB = 1 << 30


def build(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Build a registered environment, or that of a file, which is registered first.

    Prints the build log until the build ends. Raises CommandError if it fails.
    """
    if arguments.file:
        made = environments.create(workspace, arguments)
    elif arguments.name:
        made = environments.show(workspace, arguments)
    else:
        raise CommandError("InvalidArgument", "Name an environment with --name, or a --file.")
    path = f"{environments.COLLECTION}/{made['name']}/versions/{made['version']}"
    before = _end_of_log(workspace, path)
    found = workspace.post(f"{path}/build", {"retry": True})
    if not arguments.no_wait:
        found = _watched(workspace, path, before)
    return {"name": made["name"], "version": made["version"], **_kept(found)}


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """What is built, the least recently used first."""
    return [_view(each) for each in _below(workspace, "GET", "environmentCache")["value"]]


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One of them, with its packages and the end of its build log."""
    path = f"environmentCache/{quote(arguments.name, safe='')}"
    return dict(snake_keys(_below(workspace, "GET", path)))


def prune(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Remove what nobody uses: all of it, or what is older or more than the options say."""
    asked = {
        "maxAgeDays": arguments.older_than,
        "maxGib": arguments.max_size,
        "dryRun": arguments.dry_run,
    }
    body = {name: value for name, value in asked.items() if value is not None}
    gone = _below(workspace, "POST", "pruneEnvironments", body)
    return {
        "removed": [_view(each) for each in gone["value"]],
        "freed_gib": round(gone["freed"] / _GIB, 3),
        "dry_run": arguments.dry_run,
    }


def _below(
    workspace: Workspace, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Any:
    """What the server answers below its location: environments are built for all workspaces."""
    place = (
        f"/subscriptions/{workspace.connection.subscription_id}"
        "/providers/Microsoft.MachineLearningServices/locations/local"
    )
    url = f"{workspace.connection.url}{place}/{path}?api-version={API_VERSION}"
    return workspace.call(method, url, body).value()


def _view(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry on a line: packages counted, users counted."""
    shown = snake_keys(dict(entry))
    return {
        "name": shown["name"],
        "status": shown["status"],
        "python": shown.get("python"),
        "packages": len(shown.get("packages") or ()),
        "size_mib": round(shown["size"] / (1 << 20), 1),
        "last_used": shown["last_used"],
        "used_by": shown["used_by"],
    }


def _kept(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"environment": found["environment"], "status": found["status"]}


def _end_of_log(workspace: Workspace, path: str) -> dict[str, Any]:
    """Where the log of earlier builds ends."""
    found = _log(workspace, path, 0)
    while found["content"]:
        found = _log(workspace, path, found["nextOffset"])
    return found


def _watched(workspace: Workspace, path: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """The same, and what Ctrl-C leaves behind. Raises CommandError."""
    try:
        return _followed(workspace, path, before)
    except KeyboardInterrupt:
        _, name, _, version = path.split("/")
        told = (
            "The build goes on at the server. Watch it with"
            f" `lazulite environment build -n {name} -v {version}`, which builds nothing twice."
        )
        raise InterruptedCommandError(told) from None


def _followed(workspace: Workspace, path: str, found: Mapping[str, Any]) -> dict[str, Any]:
    while True:
        last, found = found, _log(workspace, path, found["nextOffset"])
        if found["environment"] != last["environment"]:  # the Python is there: the build begins
            found = _log(workspace, path, 0)
        for line in found["content"].splitlines():
            workspace.report.note(line)
        if found["content"]:
            continue
        if found["status"] == "Failed":
            raise CommandError(str(found["error"]["code"]), explain(found["error"]))
        if found["status"] == "Ready":
            return dict(found)
        if found["status"] == "NotBuilt":  # it was killed: asked again, it starts anew
            workspace.post(f"{path}/build", {"retry": False})
        workspace.sleep(_PAUSE_S)


def _log(workspace: Workspace, path: str, offset: int) -> dict[str, Any]:
    answer = workspace.arm("GET", f"{path}/buildLog", query={"offset": str(offset)})
    return dict(answer.value())
