"""Long-running operations: start one, wait until it ended, tell why it failed.

Source: spec/REST.md 2.4 and spec/CLIENTS.md 5.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lazulite.cli.advice import log_command, next_step
from lazulite.cli.build_lines import BuildLines
from lazulite.cli.errors import CommandError, InterruptedCommandError, explain
from lazulite.cli.http import Answer
from lazulite.cli.outages import outlasting
from lazulite.cli.workspace import API_VERSION, Workspace

_ENDED = frozenset({"succeeded", "failed", "canceled"})
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
    with _interruptible("Creating", path):
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


def delete(
    workspace: Workspace,
    path: str,
    *,
    waiting: bool = True,
    version: str = API_VERSION,
    **query: str,
) -> None:
    """Delete a resource; waiting: until it is gone. Raises CommandError if it was not there."""
    workspace.get(path, version)
    with _interruptible("Deleting", path):
        answer = workspace.arm("DELETE", path, version=version, query=query)
    if waiting:
        _wait(workspace, path, answer, "Deleting")


def act(workspace: Workspace, path: str, action: str, doing: str, *, waiting: bool = True) -> None:
    """Have a resource do something, such as start. doing: "Starting"; waiting: until it is done.

    Raises CommandError with the server's reason if it cannot.
    """
    answer = workspace.arm("POST", f"{path}/{action}")
    if waiting:
        _wait(workspace, path, answer, doing)


def _wait(workspace: Workspace, path: str, answer: Answer, doing: str) -> None:
    workspace.report.begin(f"{doing} {describe(path)}")
    try:
        with _interruptible(doing, path):
            _follow(workspace, path, answer)
    except InterruptedCommandError:
        workspace.report.end("stopped")
        raise
    except CommandError as error:
        look = log_command(path, workspace.report.reached)
        workspace.report.end("failed")
        said = f"{error.message.rstrip()}\nIts log: {look}" if look else error.message
        raise CommandError(error.code, said, exit_code=error.exit_code) from error
    workspace.report.end("done")
    if doing == "Creating" and (command := next_step(path)):
        workspace.report.note(f"Next: {command}")


@contextmanager
def _interruptible(doing: str, path: str) -> Iterator[None]:
    """Tell what Ctrl-C leaves behind, how to watch it and how to undo it."""
    try:
        yield
    except KeyboardInterrupt:
        told = f"{doing} {describe(path)} goes on at the server. Watch it with `{watching(path)}`."
        if doing == "Creating":
            told += f" Undo it with `{undoing(path)}`."
        raise InterruptedCommandError(told) from None


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
    lines = BuildLines(workspace, answer.value() or {})
    for pause in _pauses():
        _rest(workspace, answer, pause)
        answer = _look(workspace, url)
        status = answer.value() or {}
        state = str(status.get("status", "")).lower()
        phase = (status.get("properties") or {}).get("phase") or ""
        if state in _ENDED:
            if state == "failed":  # the log to look at is that of the phase
                workspace.report.phase(phase)
            _check(state, status.get("error"))
            return
        workspace.report.phase(phase, lines.last(phase))


def _follow_location(workspace: Workspace, url: str, answer: Answer) -> None:
    for pause in _pauses():
        if answer.status != 202:
            return
        _rest(workspace, answer, pause)
        answer = _look(workspace, url)
        workspace.report.tick()


def _follow_resource(workspace: Workspace, path: str, answer: Answer) -> None:
    for pause in _pauses():
        properties = (answer.value() or {}).get("properties") or {}
        state = str(properties.get("provisioningState") or "Succeeded").lower()
        if state in _ENDED:
            _check(state, properties.get("error"))
            return
        workspace.report.tick()
        _rest(workspace, answer, pause)
        answer = outlasting(lambda: workspace.arm("GET", path), workspace.sleep)


def _check(state: str, error: Mapping[str, Any] | None) -> None:
    if state == "succeeded":
        return
    error = error or {"code": state.capitalize(), "message": f"The operation has {state}."}
    raise CommandError(str(error.get("code") or state), explain(error))


def _look(workspace: Workspace, url: str) -> Answer:
    """A status, over a short outage of the server."""
    return outlasting(lambda: workspace.call("GET", workspace.absolute(url)), workspace.sleep)


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
    return _command("show", path)


def undoing(path: str) -> str:
    """The command that deletes the resource."""
    return _command("delete", path)


def _command(verb: str, path: str) -> str:
    if not path:
        return f"lazulite ml workspace {verb}"
    parts = path.split("/")
    owner = f" -e {parts[1]}" if len(parts) == 4 else ""
    noun = _NOUNS.get("/".join(parts[::2]), parts[-2])
    return f"lazulite ml {noun} {verb} -n {parts[-1]}{owner}"


_NOUNS = {
    "onlineEndpoints": "online-endpoint",
    "onlineEndpoints/deployments": "online-deployment",
    "batchEndpoints": "batch-endpoint",
    "batchEndpoints/deployments": "batch-deployment",
    "computes": "compute",
    "schedules": "schedule",
}
