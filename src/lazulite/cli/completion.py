"""`completion`: what a shell evaluates to complete commands and options."""

from __future__ import annotations

from collections.abc import Mapping

from argcomplete.shell_integration import shellcode

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report

SHELLS = ("bash", "zsh", "fish")


def script(arguments: Arguments, environ: Mapping[str, str], report: Report) -> None:
    """Print it. Raises CommandError for a shell that is not known."""
    shell = arguments.shell or environ.get("SHELL", "bash").rpartition("/")[2]
    if shell not in SHELLS:
        rule = f"--shell {shell!r} is not one of {', '.join(SHELLS)}."
        raise CommandError("InvalidArgument", rule)
    print(shellcode(["lazulite"], shell=shell))
