"""`get-logs --follow`: the last lines of a deployment, and then each new one."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from lazulite.cli.arguments import Arguments
from lazulite.cli.outages import outlasting
from lazulite.cli.workspace import Workspace

PAUSE_S = 1.0
_MOST = 1000


def follow(workspace: Workspace, arguments: Arguments, container: str) -> NoReturn:
    """Print lines until the user stops it. A restart of the server is waited for.

    Raises CommandError if the server does not answer.
    """
    asked = {
        "endpoint": arguments.endpoint_name,
        "deployment": arguments.name,
        "$top": str(min(arguments.lines, _MOST)),
    }
    page = _page(workspace, asked)
    asked["$top"] = str(_MOST)
    while True:
        for row in page["value"]:
            if row["ContainerName"] == container:
                print(f"[{row['InstanceId']}] {row['Message']}", flush=True)
        if len(page["value"]) < _MOST:
            workspace.sleep(PAUSE_S)
        asked["after"] = str(page["last"] or 0)
        page = outlasting(lambda: _page(workspace, asked), workspace.sleep)


def _page(workspace: Workspace, asked: dict[str, str]) -> dict[str, Any]:
    below = f"{workspace.connection.workspace_id}/logs/AmlOnlineEndpointConsoleLog"
    url = f"{workspace.connection.url}/telemetry/v1.0{quote(below)}?{urlencode(asked)}"
    return dict(workspace.call("GET", url).value())
