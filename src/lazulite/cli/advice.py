"""What to do next once something is there, and where to look if it failed."""

from __future__ import annotations

from collections.abc import Mapping

_NEXT: Mapping[str, str] = {
    "onlineEndpoints": "lazulite ml online-deployment create -e {0} -f FILE --all-traffic",
    "onlineEndpoints/deployments": "lazulite ml online-endpoint invoke -n {0} --deployment {1} -r"
    " FILE",
    "batchEndpoints": "lazulite ml batch-deployment create -e {0} -f FILE --set-default",
    "batchEndpoints/deployments": "lazulite ml batch-endpoint invoke -n {0} --deployment {1}"
    " --input FOLDER",
}
_LOG: Mapping[str, str] = {
    "onlineEndpoints/deployments": "lazulite ml online-deployment get-logs -e {0} -n {1}",
}


def next_step(path: str) -> str | None:
    """The command that comes after the resource at the path is made; None if none does."""
    return _filled(_NEXT, path)


def log_command(path: str) -> str | None:
    """The command that prints the log of what is at the path; None if it has none."""
    return _filled(_LOG, path)


def _filled(commands: Mapping[str, str], path: str) -> str | None:
    parts = path.split("/")
    command = commands.get("/".join(parts[::2]))
    return command and command.format(*parts[1::2])
