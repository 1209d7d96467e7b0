"""How shells set environment variables. Text only; nothing is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

from lazulite.core.errors import LazuliteError

_CLOSING_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
"""All of these end a text in single quotes in PowerShell."""


def shell_lines(variables: Mapping[str, str], shell: str) -> list[str]:
    """Lines that set the variables in a shell of SHELLS. Raises LazuliteError for another one."""
    if shell not in SHELLS:
        rule = f"--shell {shell!r} is not one of {', '.join(SHELLS)}: zsh and sh read that of bash."
        raise LazuliteError("InvalidArgument", rule)
    return [SHELLS[shell](name, value) for name, value in variables.items()]


def _bash(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    quoted = _CLOSING_QUOTES.sub(r"\g<0>\g<0>", value)
    return f"$env:{name} = '{quoted}'"


SHELLS: Mapping[str, Callable[[str, str], str]] = {
    "bash": _bash,
    "fish": _fish,
    "powershell": _powershell,
}
"""By the shell's name, the line that sets a variable in it."""
