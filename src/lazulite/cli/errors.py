"""What a command says when it fails, and the exit code that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.core.errors import LazuliteError

FAILED = 1
NOT_FOUND = 3
INTERRUPTED = 130


class CommandError(LazuliteError):
    """A failure told to the person at the terminal.

    Exit codes are those of az: 1 for a failure, 3 for a resource that is not there (2 is for
    arguments that cannot be read).
    """

    def __init__(
        self, code: str, message: str, *, exit_code: int = FAILED, status: int | None = None
    ) -> None:
        """code: Azure's where it has one; message: the value, the rule, the remedy.

        status: that of the answer which told the failure.
        """
        super().__init__(code, message)
        self.exit_code, self.status = exit_code, status


class InterruptedCommandError(CommandError):
    """Ctrl-C ended the command. The message: what goes on without it, and what to do next."""

    def __init__(self, message: str) -> None:
        super().__init__("Interrupted", message, exit_code=INTERRUPTED)


def from_body(body: object, *, status: int, asked: str) -> CommandError:
    """The error of an answer with Azure's envelope; of any other body, its first 500 characters.

    asked: the request, for bodies that say nothing. Source: spec/REST.md 2.5.
    """
    error = body.get("error") if isinstance(body, Mapping) else None
    exit_code = NOT_FOUND if status == 404 else FAILED
    if not isinstance(error, Mapping):
        code, said = str(status), str(body)[:500] if body else "nothing"
        message = f"{asked} was answered {status}: {said}"
    else:
        code, message = str(error.get("code", status)), explain(error)
    return CommandError(code, message, exit_code=exit_code, status=status)


def explain(error: Mapping[str, Any]) -> str:
    """The message of an ErrorDetail and, indented below it, those of its details."""
    text = str(error.get("message") or error.get("code") or "no reason was given")
    for detail in error.get("details") or ():
        lines = explain(detail).splitlines()
        target = f"{detail['target']}: " if detail.get("target") else ""
        text += "".join(f"\n  {line}" for line in [f"{target}{lines[0]}", *lines[1:]])
    return text
