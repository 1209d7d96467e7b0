"""How the command line treats its terminal: colours, errors, questions, and settings of az."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from knack.config import CLIConfig
from knack.util import CLIError

_RED, _PLAIN = "\x1b[91m", "\x1b[0m"
_OFF = frozenset({"0", "no", "false", "off"})


class Configuration(CLIConfig):  # type: ignore[misc]  # knack has no types
    """knack's settings; those of [core] are also read from az's variables, AZURE_CORE_*."""

    def get(self, section: str, option: str, *default: Any, **named: Any) -> Any:
        """LAZULITE_CLI_<section>_<option>, else AZURE_CORE_<option>, else a file, the default."""
        ours, theirs = self.env_var_name(section, option), f"AZURE_CORE_{option.upper()}"
        if section == "core" and theirs in os.environ and ours not in os.environ:
            return os.environ[theirs]
        return super().get(section, option, *default, **named)


def is_coloured(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether colours are for this stream: a terminal, and nobody has said no.

    NO_COLOR counts if it is not empty (source: no-color.org), AZURE_CORE_NO_COLOR and
    LAZULITE_CLI_CORE_NO_COLOR if they are true.
    """
    theirs = (f"{prefix}_CORE_NO_COLOR" for prefix in ("AZURE", "LAZULITE_CLI"))
    refused = any(environ.get(name, "no").lower() not in _OFF for name in theirs)
    return stream.isatty() and not environ.get("NO_COLOR") and not refused


def say_error(*lines: str) -> None:
    """Say on stderr what went wrong; the first line is marked."""
    first, *more = lines
    text = "\n".join([f"ERROR: {first}", *more])
    if is_coloured(sys.stderr, os.environ):
        text = f"{_RED}{text}{_PLAIN}"
    print(text, file=sys.stderr)


def confirmed(question: str) -> bool:
    """Whether the person at the terminal agrees; asked on stderr, as stdout is the result's.

    Raises CLIError without a terminal, in the words of az.
    """
    if not sys.stdin.isatty():
        told = "Unable to prompt for confirmation as no tty available. Use --yes."
        raise CLIError(f"{told} Operation cancelled.")
    while True:
        print(f"{question} (y/n): ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:  # the end of the input, as Ctrl-D makes it
            print(file=sys.stderr)
            return False
        if (answer := line.strip().lower()) in {"y", "yes", "n", "no"}:
            return answer.startswith("y")
