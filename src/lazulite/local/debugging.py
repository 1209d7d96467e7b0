"""`--debug-port` and `--vscode-debug`: a debugger attaches to the one process of a deployment."""

from __future__ import annotations

import json

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report

USUAL = 5678
"""The port that debugpy and VS Code take by default."""


def chosen_port(arguments: Arguments, report: Report) -> int | None:
    """Where the debugger is to listen; None without one. Says how to attach to it."""
    if arguments.debug_port is None and not arguments.vscode_debug:
        return None
    port = USUAL if arguments.debug_port is None else arguments.debug_port
    if not 1024 <= port <= 65535:
        rule = f"--debug-port {port} must be from 1024 to 65535."
        raise CommandError("InvalidArgument", rule)
    report.note(
        f"debugpy, which the environment has to have, listens on 127.0.0.1:{port}; the deployment"
        " is one process, and requests and init() have a day."
    )
    if arguments.vscode_debug:
        report.note(
            "VS Code is not started: add this to its launch.json and attach.\n"
            f"{json.dumps(_configuration(port), indent=2)}"
        )
    return port


def _configuration(port: int) -> dict[str, object]:
    return {
        "name": "Local deployment",
        "type": "debugpy",
        "request": "attach",
        "connect": {"host": "localhost", "port": port},
        "justMyCode": False,
    }
