"""`ml job`: see, follow, stop and fetch what jobs do."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets, downloads
from lazulite.cli.advice import after_job
from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import NOT_FOUND, CommandError, InterruptedCommandError, explain
from lazulite.cli.job_logs import JobLogs
from lazulite.cli.job_progress import LiveLine
from lazulite.cli.outages import outlasting
from lazulite.cli.pages import show_page
from lazulite.cli.wire import camel, envelope, snake_keys
from lazulite.cli.workspace import DATA_API_VERSION, Workspace

ENDED = frozenset({"Completed", "Failed", "Canceled", "NotResponding"})
_ARTIFACTS = "azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{name}/"
_LONGEST_PAUSE_S = 2.0


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One job; --web: with the address of its page among the notes."""
    found = view(workspace.get(f"jobs/{arguments.name}", DATA_API_VERSION))
    if arguments.web:
        open_page(workspace, found)
    return found


def open_page(workspace: Workspace, job: Mapping[str, Any]) -> None:
    """Say where the job's page is, and open it if it can be."""
    if page := (job["services"].get("Studio") or {}).get("endpoint"):
        show_page(str(page), workspace.http, workspace.report)
    else:
        workspace.report.note("The job has no page.")


def services(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The job's services by name; node_index: jobs have one node, 0."""
    if arguments.node_index:
        raise CommandError(
            "InvalidArgument", f"--node-index {arguments.node_index}: a job has one node here, 0."
        )
    return dict(show(workspace, arguments)["services"])


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The jobs of the workspace; archived ones if asked for."""
    found = workspace.list("jobs", DATA_API_VERSION, **assets.shown_ones(arguments))
    return [view(item) for item in itertools.islice(found, arguments.max_results)]


def stream(workspace: Workspace, arguments: Arguments) -> None:
    """Print the job's log as it grows, and its state, until it ends.

    Raises CommandError with the job's own error if it failed or was canceled.
    """
    follow(workspace, arguments.name)


def follow(workspace: Workspace, name: str) -> None:
    """The same for a job by its name."""
    try:
        last = _follow(workspace, name)
    except KeyboardInterrupt:
        raise InterruptedCommandError(
            f"The job goes on. Follow it again with `lazulite ml job stream -n {name}`,"
            f" stop it with `lazulite ml job cancel -n {name}`."
        ) from None
    following = after_job({**last, "name": name})
    if last.get("status") != "Completed":
        error = last.get("error") or {"message": f"The job ended as {last.get('status')}."}
        more = f"\nNext: {following}" if following else ""
        told = explain(error).rstrip() + more
        raise CommandError(str(error.get("code") or last.get("status")), told)
    if following:
        workspace.report.note(f"Next: {following}")


def download(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Copy the job's outputs to named-outputs/<name>/, with --all its logs to artifacts/."""
    job = show(workspace, arguments)
    if job.get("status") not in ENDED:
        raise CommandError(
            "JobNotEnded",
            f"The job {arguments.name} is {job.get('status')}; download when it has ended. Wait"
            f" for it with `lazulite ml job stream -n {arguments.name}`.",
        )
    target = Path(arguments.download_path or ".")
    outputs = _chosen(job, arguments.output_name)
    wanted = {name: (uri, target / "named-outputs" / name) for name, uri in outputs.items()}
    if arguments.all_outputs:
        logs = _ARTIFACTS.format(name=arguments.name)
        wanted["artifacts"] = (logs, target / "artifacts")
    counts = {name: _fetched(workspace, *each) for name, each in wanted.items()}
    if counts and not any(counts.values()):
        raise CommandError(
            downloads.NOTHING,
            f"The job {arguments.name} has left nothing of what was asked for."
            f" `lazulite ml job download -n {arguments.name} --all` fetches its logs as well.",
            exit_code=NOT_FOUND,
        )
    return {"path": str(target), "files": counts}


def _fetched(workspace: Workspace, uri: str, target: Path) -> int:
    """How many files there were; a failed job has not written all of its outputs."""
    try:
        return downloads.download(workspace, uri, target)
    except CommandError as error:
        if error.code != downloads.NOTHING:
            raise
        workspace.report.note(error.message)
        return 0


def cancel(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Ask the job to stop, and show it."""
    workspace.post(f"jobs/{arguments.name}/cancel")
    return show(workspace, arguments)


def pause(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Have a batch scoring job finish what was begun and rest, and show it."""
    workspace.post(f"jobs/{arguments.name}/pause")
    return show(workspace, arguments)


def resume(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Have a paused job go on, and show it."""
    workspace.post(f"jobs/{arguments.name}/resume")
    return show(workspace, arguments)


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A job as az prints it."""
    properties = resource.get("properties") or {}
    shown = {**envelope(resource), **snake_keys(properties)}
    shown["name"] = resource.get("name")
    shown["type"] = str(properties.get("jobType") or "").lower() or None
    # Names of inputs and outputs are the user's, and so is their case.
    shown["inputs"], shown["outputs"] = properties.get("inputs"), properties.get("outputs")
    # The names that scripts of either generation ask for.
    services = properties.get("services") or properties.get("interactionEndpoints") or {}
    shown["services"] = shown["interaction_endpoints"] = services
    shown["interactionEndpoints"] = services
    return {key: value for key, value in shown.items() if value is not None}


def _chosen(job: Mapping[str, Any], name: str) -> dict[str, str]:
    outputs = {
        key: str(value.get("uri"))
        for key, value in (job.get("outputs") or {}).items()
        if isinstance(value, Mapping) and value.get("uri") and key != "default"
    }
    if not name:
        return outputs
    if name not in outputs:
        known = ", ".join(sorted(outputs)) or "none"
        raise CommandError(
            "OutputNotFound",
            f"The job {job.get('name')} has no output {name!r}; it has: {known}.",
            exit_code=NOT_FOUND,
        )
    return {name: outputs[name]}


def _follow(workspace: Workspace, name: str) -> dict[str, Any]:
    """What is known of the job when it has ended."""
    logs, line = JobLogs(workspace), LiveLine(workspace.report, name)
    look, state, pause = functools.partial(_details, workspace, name), "", 0.2
    try:
        while True:
            details = outlasting(look, workspace.sleep) if state else look()
            status = str(details.get("status"))
            if status != state:
                line.clear()
                workspace.report.note(f"{name}: {status}")
                state, pause = status, 0.2
            files = functools.partial(logs.show, details.get("logFiles") or {}, line.clear)
            grown = outlasting(files, workspace.sleep)
            line.show(details.get("progress") or {}, last=status in ENDED)
            if status in ENDED:
                return details
            pause = 0.2 if grown else min(pause * 1.5, _LONGEST_PAUSE_S)
            workspace.sleep(pause)
    finally:
        line.end()


def _details(workspace: Workspace, name: str) -> dict[str, Any]:
    """Status, error and log files: from run history, or from the job where that is not served."""
    url = f"{workspace.connection.url}/history/v1.0{workspace.id(f'runs/{name}')}/details"
    try:
        details = workspace.call("GET", f"{url}?api-version=v1.0").value()
        if isinstance(details, dict) and details.get("status"):
            return {**details, "error": _plain_error(details.get("error"))}
    except CommandError as error:
        if error.exit_code != NOT_FOUND:
            raise
    properties = workspace.get(f"jobs/{name}", DATA_API_VERSION)["properties"]
    return {camel(key): value for key, value in properties.items()}


def _plain_error(answer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The error of run history with its own code, which stands inside. Source: REST.md 9.1."""
    if not answer:
        return None
    error = answer.get("error", answer)
    inner = (error.get("innerError") or {}).get("code")
    return {**error, "code": inner or error.get("code")}
