"""What to do next once something is there, and where to look if it failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NEXT: Mapping[str, str] = {
    "onlineEndpoints": "lazulite ml online-deployment create -e {0} -f FILE --all-traffic",
    "onlineEndpoints/deployments": "lazulite ml online-endpoint invoke -n {0} --deployment {1} -r"
    " FILE",
    "batchEndpoints": "lazulite ml batch-deployment create -e {0} -f FILE --set-default",
    "batchEndpoints/deployments": "lazulite ml batch-endpoint invoke -n {0} --deployment {1}"
    " --input FOLDER",
}
ENVIRONMENT = "environment"
"""The phase of a deployment in which its environment is built."""
_LOG: Mapping[str, str] = {
    "onlineEndpoints/deployments": "lazulite ml online-deployment get-logs -e {0} -n {1}",
}


def next_step(path: str) -> str | None:
    """The command that comes after the resource at the path is made; None if none does."""
    return _filled(_NEXT, path)


def log_command(path: str, phase: str = "") -> str | None:
    """The command that prints the log of what is at the path; None if it has none.

    phase: where its creation ended; environments are built with a log of their own.
    """
    command = _filled(_LOG, path)
    return f"{command} -c storage-initializer" if command and phase == ENVIRONMENT else command


def _filled(commands: Mapping[str, str], path: str) -> str | None:
    parts = path.split("/")
    command = commands.get("/".join(parts[::2]))
    return command and command.format(*parts[1::2])


def after_job(job: Mapping[str, Any]) -> str | None:
    """The command that comes after a job that has ended; None if none does.

    job: its name, status, and counts of progress as run history shows them.
    """
    name, failed = job.get("name"), (job.get("progress") or {}).get("failed_items")
    if failed:
        return f"lazulite ml job failed-items -n {name} -o table"
    if job.get("status") == "Completed":
        return f"lazulite ml job download -n {name}"
    return f"lazulite ml job download -n {name} --all" if job.get("status") == "Failed" else None
