"""`completion`: what a shell evaluates to complete commands and options."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from argcomplete.shell_integration import shellcode

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report
from lazulite.cli.shim import is_shim

SHELLS = ("bash", "zsh", "fish")


def script(arguments: Arguments, environ: Mapping[str, str], report: Report) -> None:
    """Print it, for `az` as well if that is a shim. Raises CommandError for an unknown shell."""
    shell = arguments.shell or environ.get("SHELL", "bash").rpartition("/")[2]
    if shell not in SHELLS:
        rule = f"--shell {shell!r} is not one of {', '.join(SHELLS)}."
        raise CommandError("InvalidArgument", rule)
    found = shutil.which("az", path=environ.get("PATH"))
    shims = ["az"] if found and is_shim(Path(found)) else []
    print(shellcode(["lazulite", *shims], shell=shell))
