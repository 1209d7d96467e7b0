"""The logs of a run, printed as they grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lazulite.cli.http import Request
from lazulite.cli.workspace import Workspace

_STREAMED = ("user_logs/std_log.txt", "azureml-logs/70_driver_log.txt")
"""The log of a run by the names of both generations: where both are, they say the same."""
_OTHERS = ("user_logs/", "azureml-logs/")


class JobLogs:
    """Remembers what was printed. A log may only grow. Source: spec/CLIENTS.md 10.3."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._printed: dict[str, int] = {}

    def show(self, files: Mapping[str, str], before: Callable[[], None]) -> bool:
        """Print what was added; whether that was anything. files: URLs by name.

        before: called before something is printed.
        """
        grown = False
        for name in streamed(files):
            request = Request(method="GET", url=self._workspace.absolute(files[name]))
            answer = self._workspace.http.send(request)
            text = answer.body[self._printed.get(name, 0) :]
            if answer.is_success and text:
                before()
                print(text.decode(errors="replace"), end="", flush=True)
                self._printed[name] = self._printed.get(name, 0) + len(text)
                grown = True
        return grown


def streamed(names: Iterable[str]) -> list[str]:
    """Which of a run's log files are for people who follow it."""
    found = sorted(name for name in names if name.startswith(_OTHERS))
    doubled = set(_STREAMED) <= set(found)
    return [name for name in found if not doubled or not name.startswith("azureml-logs/")]
