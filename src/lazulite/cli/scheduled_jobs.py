"""What a schedule starts: `create_job` names a job's file, a job that ran, or says it in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import codes, command_jobs, computes
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document, read
from lazulite.cli.shapes import checked
from lazulite.cli.wire import snake_keys
from lazulite.cli.workspace import Workspace

VERSION = "2023-10-01"
"""That of schedules, so that a definition is read as it was written."""
_KEY = ("create_job",)
_KEPT = (
    *("jobType", "command", "codeId", "environmentId", "computeId", "inputs", "outputs"),
    *("environmentVariables", "experimentName", "limits", "resources", "distribution"),
    *("identity", "displayName", "description", "tags"),
)


def action(workspace: Workspace, found: Document) -> dict[str, Any]:
    """The action on the wire; what the job's file names locally is on the server by then.

    Raises CommandError with the place in whichever file is wrong.
    """
    given = found.values["create_job"]
    over = {}
    if isinstance(given, Mapping) and "job" in given:
        over = {name: item for name, item in given.items() if name not in {"job", "type"}}
        given = given["job"]
    if not isinstance(given, Mapping | str):
        raise found.error(_KEY, "write a job's file, azureml:<job>, or a job's fields")
    return {"actionType": "CreateJob", "jobDefinition": _definition(workspace, found, given, over)}


def view(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition in the words of YAML, as the file of a job would say it."""
    shown = snake_keys({name: item for name, item in definition.items() if item is not None})
    words = {"job_type": "type", "code_id": "code", "environment_id": "environment"}
    words |= {"compute_id": "compute"}
    shown = {words.get(name, name): item for name, item in shown.items()}
    own = {name: definition.get(name) for name in ("inputs", "outputs")}  # names are the user's
    return present({**shown, **own, "type": str(shown.get("type") or "").lower()})


def _definition(
    workspace: Workspace, found: Document, given: Mapping[str, Any] | str, over: dict[str, Any]
) -> dict[str, Any]:
    if isinstance(given, str) and codes.is_reference(given):
        return _of_job(workspace, found, given, over)
    raw = read(found.file(_KEY, given)) if isinstance(given, str) else found.part(_KEY)
    raw = raw.changed({**raw.values, **over})
    command_jobs.is_command(raw)
    job = command_jobs.complete(checked(raw, command_jobs.SHAPE))
    return command_jobs.to_properties(workspace, job)


def _of_job(
    workspace: Workspace, found: Document, text: str, over: Mapping[str, Any]
) -> dict[str, Any]:
    """The definition of a job that was submitted before."""
    name = text.removeprefix("azureml:").strip().rpartition("/")[2]
    job = workspace.find(f"jobs/{name}", VERSION)
    if job is None:
        raise found.error(_KEY, f"there is no job {name!r} in this workspace")
    properties = job["properties"]
    compute = over.get("compute")
    return present(
        {
            **{part: properties.get(part) for part in _KEPT},
            "experimentName": over.get("experiment_name") or properties.get("experimentName"),
            "computeId": (compute and computes.reference(workspace, found, compute))
            or properties.get("computeId"),
        }
    )
