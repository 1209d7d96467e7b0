"""`ml job failed-items`: what failed in a batch scoring job. An extension: az has no such command.

It reads the list among the job's artifacts, which a job has from its end on.
"""

from __future__ import annotations

import io
import json
from typing import Any

from lazulite.cli import jobs
from lazulite.cli.arguments import Arguments
from lazulite.cli.blobs import open_container
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.workspace import Workspace

_PLACE = "ExperimentRun/dcid.{name}/logs/failed_items.jsonl"


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """File, mini-batch, attempt, number of items and error of each failure; nothing if none was.

    An item without a file stands for results that run() did not return.
    """
    job = jobs.show(workspace, arguments)
    if job.get("status") not in jobs.ENDED:
        raise CommandError(
            "JobNotEnded",
            f"The job {arguments.name} is {job.get('status')}; the list is there when it has ended."
            f" Wait for it with `lazulite ml job stream -n {arguments.name}`.",
        )
    container, content = open_container(workspace, "workspaceartifactstore"), io.BytesIO()
    try:
        container.get(_PLACE.format(name=job["name"]), content)
    except CommandError as error:
        if error.exit_code != NOT_FOUND:
            raise
        return []
    return [json.loads(line) for line in content.getvalue().splitlines()]
