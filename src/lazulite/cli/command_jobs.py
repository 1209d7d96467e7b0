"""`ml job create`: command jobs from YAML. Source: spec/REST.md 7.5, spec/CLIENTS.md 10.1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets, codes, computes, environments, jobs
from lazulite.cli.arguments import Arguments
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import ANYTHING, INTEGER, NUMBER, TEXT, TEXTS, Shape, checked
from lazulite.cli.uploads import upload
from lazulite.cli.wire import camel_keys, duration
from lazulite.cli.workspace import DATA_API_VERSION, Workspace

SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "type": TEXT,
    "display_name": TEXT,
    "experiment_name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
    "command": TEXT,
    "code": (TEXT, {"local_path": TEXT}),
    "environment": (TEXT, ANYTHING),
    "environment_variables": TEXTS,
    "compute": (TEXT, {"target": TEXT, "instance_count": INTEGER}),
    "distribution": ANYTHING,
    "identity": ANYTHING,
    "resources": {
        "instance_count": INTEGER,
        "instance_type": TEXT,
        "shm_size": TEXT,
        "docker_args": TEXT,
        "properties": ANYTHING,
    },
    "limits": {"timeout": NUMBER},
    "inputs": ANYTHING,
    "outputs": ANYTHING,
}
_INPUT: Mapping[str, Shape] = {
    "type": TEXT,
    "path": TEXT,
    "value": TEXT,
    "mode": TEXT,
    "description": TEXT,
}
_MODES = {
    "ro_mount": "ReadOnlyMount",
    "rw_mount": "ReadWriteMount",
    "download": "Download",
    "upload": "Upload",
    "direct": "Direct",
    "eval_mount": "EvalMount",
    "eval_download": "EvalDownload",
}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Submit a command job; local code and data are uploaded. With --stream, follow it to its end.

    A second call with the same name and content starts nothing.
    """
    found = _document(arguments)
    if arguments.save_as:
        _save(found, Path(arguments.save_as))
    name = found.values.get("name") or f"job_{workspace.make_id().replace('-', '')[:12]}"
    body = {"properties": to_properties(workspace, found)}
    made = jobs.view(workspace.put(f"jobs/{name}", body, DATA_API_VERSION))
    if arguments.web:
        jobs.open_page(workspace, made)
    if not arguments.stream:
        workspace.report.note(f"Follow it: lazulite ml job stream -n {name}")
        return made
    jobs.follow(workspace, name)
    return jobs.view(workspace.get(f"jobs/{name}", DATA_API_VERSION))


def validate(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Say that the file is right, and what it refers to there; nothing is uploaded.

    Raises CommandError at the first fault.
    """
    to_properties(workspace.rehearsal(), _document(arguments))
    return {"result": "Succeeded"}


def to_properties(workspace: Workspace, found: Document) -> dict[str, Any]:
    """The properties of a PUT; what the file names locally is on the server by then."""
    values = found.values
    code, limits = values.get("code"), values.get("limits") or {}
    timeout = limits.get("timeout")
    return present(
        {
            "jobType": "Command",
            "command": values["command"],
            "codeId": code and codes.registered(workspace, found, ("code",), code),
            "environmentId": environments.resolve(workspace, found),
            "computeId": computes.reference(workspace, found, values.get("compute")),
            "displayName": values.get("display_name"),
            "experimentName": values.get("experiment_name"),
            "description": values.get("description"),
            "tags": values.get("tags"),
            "properties": values.get("properties"),
            "environmentVariables": values.get("environment_variables"),
            "resources": values.get("resources") and camel_keys(values["resources"]),
            "limits": timeout and {"jobLimitsType": "Command", "timeout": duration(timeout)},
            "identity": values.get("identity"),
            "distribution": _distribution(values.get("distribution")),
            "inputs": _inputs(workspace, found),
            "outputs": _outputs(found),
        }
    )


def _document(arguments: Arguments) -> Document:
    """The file with the options over it. Raises CommandError for what is no command job."""
    if not arguments.file:
        raise CommandError("InvalidArgument", "Say what to run: --file with the job's YAML.")
    raw = assets.read_file(arguments)
    is_command(raw)
    return complete(assets.document(arguments, SHAPE, experiment_name=arguments.experiment_name))


def is_command(raw: Document) -> None:
    """Raise CommandError for the file of a job that nothing here can run."""
    kind = str(raw.values.get("type") or "command")
    if kind.lower() != "command":
        raise raw.error(("type",), f"jobs of type {kind!r} cannot be run here; use type: command")


def complete(found: Document) -> Document:
    """A checked file in the words of today. Raises CommandError if it lacks what jobs need."""
    found = _modern(found)
    for field in ("command", "environment", "compute"):
        if not found.values.get(field):
            raise found.error((), f"a command job needs the field {field!r}")
    return found


def _save(found: Document, path: Path) -> None:
    """Write the job with all options in it, as YAML; JSON is that."""
    path.write_text(json.dumps({**found.values, "type": "command"}, indent=2) + "\n")


def _modern(found: Document) -> Document:
    """The forms of 2021 in later words: `code.local_path`, and `compute` with a count of nodes."""
    values = dict(found.values)
    if isinstance(code := values.get("code"), Mapping):
        values["code"] = code.get("local_path")
    if isinstance(compute := values.get("compute"), Mapping):
        values["compute"] = compute.get("target")
        count = {"instance_count": compute.get("instance_count")}
        values["resources"] = present({**count, **(values.get("resources") or {})}) or None
    return found.changed(values)


def _distribution(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    rest = {key: value for key, value in given.items() if key != "type"}
    return {"distributionType": given.get("type"), **camel_keys(rest)}


def _inputs(workspace: Workspace, found: Document) -> dict[str, Any]:
    """The inputs on the wire; a plain value is a literal."""
    given = found.values.get("inputs") or {}
    return {name: _input(workspace, found, name, item) for name, item in given.items()}


def _input(workspace: Workspace, found: Document, name: str, item: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        return {"jobInputType": "literal", "value": str(item)}
    inner = checked(found.changed(dict(item)), _INPUT).values
    path = inner.get("path")
    if not path:
        if inner.get("value") is None:
            raise found.error(("inputs", name), "an input needs a path, or a value")
        return {"jobInputType": "literal", "value": inner["value"]}
    kind = inner.get("type") or "uri_folder"
    uri = _uri(workspace, found, name, path, "models" if kind.endswith("_model") else "data")
    return present({"jobInputType": kind, "uri": uri, "mode": _mode(inner)})


def _uri(workspace: Workspace, found: Document, name: str, path: str, collection: str) -> str:
    """Where the data is: as it stands, as a registered asset, or uploaded from here."""
    key = ("inputs", name, "path")
    if not codes.is_reference(path):
        return upload(workspace, found.file(key, path)).uri
    if "://" in path:
        return path
    return assets.reference(workspace, collection, found, key, path)


def _outputs(found: Document) -> dict[str, Any]:
    """The outputs on the wire; one without anything is a folder of the default datastore."""
    given = found.values.get("outputs") or {}
    checked_ = {
        name: checked(found.changed(dict(item or {})), _INPUT).values
        for name, item in given.items()
    }
    return {
        name: present(
            {
                "jobOutputType": item.get("type") or "uri_folder",
                "uri": item.get("path"),
                "mode": _mode(item),
            }
        )
        for name, item in checked_.items()
    }


def _mode(values: Mapping[str, Any]) -> str | None:
    mode = values.get("mode")
    return None if mode is None else _MODES.get(mode, mode)
