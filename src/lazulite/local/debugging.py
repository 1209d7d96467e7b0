"""`--debug-port` and `--vscode-debug`: the one process of a deployment connects to a debugger.

As with Azure's server it is the debugger that listens; `lazulite_worker.debugger` connects.
"""

from __future__ import annotations

import json

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report

USUAL = 5678
"""The port that debugpy and VS Code take by default."""


def chosen_port(arguments: Arguments, report: Report) -> int | None:
    """Where the debugger listens; None without one. Says what it takes."""
    if arguments.debug_port is None and not arguments.vscode_debug:
        return None
    port = USUAL if arguments.debug_port is None else arguments.debug_port
    if not 1024 <= port <= 65535:
        rule = f"--debug-port {port} must be from 1024 to 65535."
        raise CommandError("InvalidArgument", rule)
    report.note(
        f"The deployment is one process without time limits. It connects to the debugger that has"
        f" to listen on 127.0.0.1:{port} by now, with debugpy, which its environment has to have."
    )
    if arguments.vscode_debug:
        report.note(
            "VS Code is not started: start a debug session with this of its launch.json first.\n"
            f"{json.dumps(_configuration(port), indent=2)}"
        )
    return port


def _configuration(port: int) -> dict[str, object]:
    return {
        "name": "Local deployment",
        "type": "debugpy",
        "request": "attach",
        "listen": {"host": "127.0.0.1", "port": port},
        "justMyCode": False,
    }
