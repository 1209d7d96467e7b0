"""The logs of a run, printed as they grow."""

from __future__ import annotations

import codecs
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from lazulite.cli.http import Request
from lazulite.cli.workspace import Workspace

_STREAMED = ("user_logs/std_log.txt", "azureml-logs/70_driver_log.txt")
"""The log of a run by the names of both generations: where both are, they say the same."""
_OTHERS = ("user_logs/", "azureml-logs/")


@dataclasses.dataclass
class _Printed:
    """How far a log was printed; a character of which a part has come waits for the rest."""

    size: int = 0
    """Bytes."""
    decoder: codecs.IncrementalDecoder = dataclasses.field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")(errors="replace")
    )


class JobLogs:
    """Remembers what was printed. A log may only grow. Source: spec/CLIENTS.md 10.3."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._printed: dict[str, _Printed] = {}

    def show(self, files: Mapping[str, str], before: Callable[[], None]) -> bool:
        """Print what was added; whether that was anything. files: URLs by name.

        before: called before something is printed.
        """
        grown = False
        for name in streamed(files):
            printed = self._printed.setdefault(name, _Printed())
            added = self._added(files[name], printed.size)
            printed.size += len(added)
            if text := printed.decoder.decode(added):
                before()
                print(text, end="", flush=True)
                grown = True
        return grown

    def _added(self, url: str, size: int) -> bytes:
        """What follows the first bytes of a log; servers may answer with all of it."""
        headers = {"x-ms-range": f"bytes={size}-"} if size else {}
        request = Request(method="GET", url=self._workspace.absolute(url), headers=headers)
        answer = self._workspace.http.send(request)
        if not answer.is_success:  # such as 416: nothing new
            return b""
        return answer.body if answer.status == HTTPStatus.PARTIAL_CONTENT else answer.body[size:]


def streamed(names: Iterable[str]) -> list[str]:
    """Which of a run's log files are for people who follow it."""
    found = sorted(name for name in names if name.startswith(_OTHERS))
    doubled = set(_STREAMED) <= set(found)
    return [name for name in found if not doubled or not name.startswith("azureml-logs/")]
