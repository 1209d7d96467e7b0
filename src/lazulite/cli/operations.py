"""Long-running operations: start one, wait until it ended, tell why it failed.

Source: spec/REST.md 2.4 and spec/CLIENTS.md 5.1.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from lazulite.cli.advice import log_command, next_step
from lazulite.cli.errors import INTERRUPTED, CommandError, explain
from lazulite.cli.http import Answer
from lazulite.cli.workspace import API_VERSION, Workspace

_ENDED = frozenset({"succeeded", "failed", "canceled"})
_OUTAGE_S = 60.0  # a control plane that restarts is waited for this long
_DEFAULT_PAUSE_S = 1.0


def put(
    workspace: Workspace,
    path: str,
    body: Mapping[str, Any],
    *,
    waiting: bool = True,
    version: str = API_VERSION,
) -> dict[str, Any]:
    """Create or replace a resource; waiting: until it is ready, else as the server answered first.

    Raises CommandError with the server's reason if the resource failed.
    """
    answer = workspace.arm("PUT", path, body, version=version)
    first = answer.value()
    if not waiting:
        return dict(first)
    wait(workspace, {path: answer})
    return workspace.get(path, version)


def start(workspace: Workspace, bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, Answer]:
    """Create or replace resources by their paths, and wait for none.

    Raises CommandError at the first one refused; those before it have been begun.
    """
    return {path: workspace.arm("PUT", path, body) for path, body in bodies.items()}


def wait(workspace: Workspace, started: Mapping[str, Answer]) -> None:
    """Wait until all that was started is ready. Raises CommandError with the reason if not."""
    for path, answer in started.items():
        _wait(workspace, path, answer, "Creating" if answer.status == 201 else "Updating")


def delete(workspace: Workspace, path: str, *, waiting: bool = True, **query: str) -> None:
    """Delete a resource; waiting: until it is gone. Raises CommandError if it was not there."""
    workspace.get(path)
    answer = workspace.arm("DELETE", path, query=query)
    if waiting:
        _wait(workspace, path, answer, "Deleting")


def _wait(workspace: Workspace, path: str, answer: Answer, doing: str) -> None:
    workspace.report.begin(f"{doing} {describe(path)}")
    started = time.monotonic()
    try:
        _follow(workspace, path, answer)
    except KeyboardInterrupt:
        workspace.report.end("interrupted")
        raise CommandError(
            "Interrupted",
            f"{doing} {describe(path)} goes on at the server. Watch it with `{watching(path)}`.",
            exit_code=INTERRUPTED,
        ) from None
    except CommandError as error:
        workspace.report.end("failed")
        look = log_command(path)
        said = f"{error.message.rstrip()}\nIts log: {look}" if look else error.message
        raise CommandError(error.code, said, exit_code=error.exit_code) from error
    workspace.report.end(f"done in {time.monotonic() - started:.1f} s")
    if doing == "Creating" and (command := next_step(path)):
        workspace.report.note(f"Next: {command}")


def _follow(workspace: Workspace, path: str, answer: Answer) -> None:
    operation = answer.headers.get("azure-asyncoperation")
    location = answer.headers.get("location")
    if operation:
        _follow_operation(workspace, operation, answer)
    elif location and answer.status == 202:
        _follow_location(workspace, location, answer)
    elif isinstance(answer.value(), dict):
        _follow_resource(workspace, path, answer)


def _follow_operation(workspace: Workspace, url: str, answer: Answer) -> None:
    for pause in _pauses():
        _rest(workspace, answer, pause)
        answer = _look(workspace, url)
        status = answer.value() or {}
        state = str(status.get("status", "")).lower()
        if state in _ENDED:
            _check(state, status.get("error"))
            return
        workspace.report.phase((status.get("properties") or {}).get("phase") or "")


def _follow_location(workspace: Workspace, url: str, answer: Answer) -> None:
    for pause in _pauses():
        if answer.status != 202:
            return
        _rest(workspace, answer, pause)
        answer = _look(workspace, url)
        workspace.report.dot()


def _follow_resource(workspace: Workspace, path: str, answer: Answer) -> None:
    for pause in _pauses():
        properties = (answer.value() or {}).get("properties") or {}
        state = str(properties.get("provisioningState") or "Succeeded").lower()
        if state in _ENDED:
            _check(state, properties.get("error"))
            return
        workspace.report.dot()
        _rest(workspace, answer, pause)
        answer = workspace.arm("GET", path)


def _check(state: str, error: Mapping[str, Any] | None) -> None:
    if state == "succeeded":
        return
    error = error or {"code": state.capitalize(), "message": f"The operation has {state}."}
    raise CommandError(str(error.get("code") or state), explain(error))


def _look(workspace: Workspace, url: str) -> Answer:
    """A status, over a short outage of the server."""
    waited = 0.0
    while True:
        try:
            return workspace.call("GET", workspace.absolute(url))
        except CommandError as error:
            if error.code not in {"ServerNotReachable", "503"} or waited >= _OUTAGE_S:
                raise
        workspace.sleep(_DEFAULT_PAUSE_S)
        waited += _DEFAULT_PAUSE_S


def _pauses() -> Iterator[float]:
    """Seconds between looks: short at first, as much here is done in less than a second."""
    pause = 0.1
    while True:
        yield pause
        pause = min(pause * 1.5, 30.0)


def _rest(workspace: Workspace, answer: Answer, pause: float) -> None:
    asked = answer.headers.get("retry-after", "")
    longest = float(asked) if asked.isdigit() else _DEFAULT_PAUSE_S
    workspace.sleep(min(pause, longest))


def describe(path: str) -> str:
    """A path in words: "onlineEndpoints/e/deployments/d" is "online deployment d of e"."""
    if not path:
        return "workspace"
    parts = path.split("/")
    noun = _NOUNS.get("/".join(parts[::2]), parts[-2])
    owner = f" of {parts[1]}" if len(parts) == 4 else ""
    return f"{noun.replace('-', ' ')} {parts[-1]}{owner}"


def watching(path: str) -> str:
    """The command that shows how the resource fares."""
    if not path:
        return "lazulite ml workspace show"
    parts = path.split("/")
    owner = f" -e {parts[1]}" if len(parts) == 4 else ""
    return f"lazulite ml {_NOUNS.get('/'.join(parts[::2]), parts[-2])} show -n {parts[-1]}{owner}"


_NOUNS = {
    "onlineEndpoints": "online-endpoint",
    "onlineEndpoints/deployments": "online-deployment",
    "batchEndpoints": "batch-endpoint",
    "batchEndpoints/deployments": "batch-deployment",
    "computes": "compute",
}
