"""`ml endpoint` of 2021-05: create, show, list, delete and what is asked of a running endpoint.

One command for both types, `--type` says which. `lazulite.cli.endpoint_updates` has update.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lazulite.cli import assets, batch_invocations, online_deployments, online_endpoints, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import edited
from lazulite.cli.documents import Document
from lazulite.cli.endpoint_files import (
    EndpointFile,
    check_traffic,
    endpoint_fields,
    read_endpoint,
    shown,
)
from lazulite.cli.endpoint_types import BATCH, TYPES, EndpointType, type_of
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.workspace import Workspace

_OF_BATCH = (
    "input_path",
    "input_datastore",
    "input_local_path",
    "input_dataset",
    "output_path",
    "output_datastore",
    "mini_batch_size",
    "instance_count",
    "set_values",
)


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the endpoint and the deployments of its file; those there already are replaced.

    An endpoint that is new goes again if the server refuses one of its deployments.
    """
    found = document(arguments)
    kind = type_of(arguments.kind, found)
    file = read_endpoint(found, kind)
    check_traffic(file.endpoint, kind, file.deployments if file.is_whole else None)
    name = _name(file.endpoint)
    bodies = bodies_of(workspace, kind, file)
    there = workspace.find(kind.path(name), kind.version)
    kept = endpoint_fields(kind.old(kind.view(there)), kind) if there else {}
    kind.put(workspace, kind.modern({**kept, **file.endpoint.values}))
    try:
        started = operations.start(workspace, bodies)
    except CommandError:
        if there is None:
            operations.delete(workspace, kind.path(name), waiting=False)
        raise
    if not arguments.no_wait:
        operations.wait(workspace, started)
    return state(workspace, kind, name)


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The endpoint with its deployments; with --deployment, that one."""
    kind = type_of(arguments.kind, Document({}))
    with of_type(workspace, kind, arguments.name):
        found = state(workspace, kind, arguments.name)
    if not arguments.deployment_name:
        return found
    for each in found["deployments"]:
        if each["name"].lower() == arguments.deployment_name.lower():
            return dict(each)
    raise CommandError(
        "ResourceNotFound",
        f"The endpoint {arguments.name!r} has no deployment {arguments.deployment_name!r}; it has:"
        f" {', '.join(each['name'] for each in found['deployments']) or 'none'}.",
        exit_code=NOT_FOUND,
    )


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The endpoints of the type, without their deployments; of both types without --type."""
    kinds = [type_of(arguments.kind, Document({}))] if arguments.kind else list(TYPES.values())
    found = []
    for kind in kinds:
        items = workspace.list(kind.verbs.endpoints, kind.version)
        views = [kind.view(item) for item in items]
        found += [{**kind.old(view), "type": kind.word} for view in views]
    return found


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the endpoint with its deployments; with --deployment, only that one."""
    kind = type_of(arguments.kind, Document({}))
    path = kind.path(arguments.name)
    if arguments.deployment_name:
        path = kind.verbs.path(arguments.name, arguments.deployment_name)
    with of_type(workspace, kind, arguments.name):
        operations.delete(workspace, path, waiting=not arguments.no_wait)


def invoke(workspace: Workspace, arguments: Arguments) -> Any:
    """Score a request online, or start a batch job."""
    kind = type_of(arguments.kind, Document({}))
    refuse_batch_options(arguments, is_batch=kind is BATCH)
    with of_type(workspace, kind, arguments.name):
        if kind is BATCH:
            return batch_invocations.invoke(workspace, arguments)
        return online_endpoints.invoke(workspace, arguments)


def refuse_batch_options(arguments: Arguments, *, is_batch: bool) -> None:
    """Raise CommandError for options that are for endpoints of the other type."""
    given = [name for name in _OF_BATCH if getattr(arguments, name)]
    if not is_batch and given:
        option = "set" if given[0] == "set_values" else given[0].replace("_", "-")
        raise CommandError("InvalidArgument", f"--{option} is for --type batch.")
    if is_batch == bool(arguments.request_file):
        said = "is for online endpoints: give --input-path" if is_batch else "is needed"
        raise CommandError("InvalidArgument", f"--request-file {said}.")


def list_jobs(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The jobs of a batch endpoint."""
    with of_type(workspace, BATCH, arguments.name):
        return batch_invocations.list_jobs(workspace, arguments)


def logs(workspace: Workspace, arguments: Arguments) -> None:
    """Print the logs of a deployment of an online endpoint."""
    asked = dataclasses.replace(
        arguments, endpoint_name=arguments.name, name=arguments.deployment_name
    )
    online_deployments.logs(workspace, asked)


def state(workspace: Workspace, kind: EndpointType, name: str) -> dict[str, Any]:
    """The endpoint as it is now, with its deployments. Raises CommandError if it is not there."""
    endpoint = kind.view(workspace.get(kind.path(name), kind.version))
    made = [kind.verbs.view(item) for item in workspace.list(f"{kind.path(name)}/deployments")]
    return shown(endpoint, sorted(made, key=lambda each: str(each["name"])), kind)


def document(arguments: Arguments) -> Document:
    """The endpoint's file with --name and --set over it."""
    found = assets.read_file(arguments)
    values = edited(found.values, arguments)
    return found.changed({**values, "name": arguments.name} if arguments.name else values)


def bodies_of(workspace: Workspace, kind: EndpointType, file: EndpointFile) -> dict[str, Any]:
    """The bodies of the file's deployments by path; what they define in place is registered."""
    name, location = _name(file.endpoint), workspace.location()
    return {
        kind.verbs.path(name, each): kind.to_body(kind.resolved(workspace, found), location)
        for each, found in file.deployments.items()
    }


@contextmanager
def of_type(workspace: Workspace, kind: EndpointType, name: str) -> Iterator[None]:
    """If the endpoint is not there but one of the other type is, say so."""
    try:
        yield
    except CommandError as error:
        (other,) = (each for each in TYPES.values() if each is not kind)
        if error.exit_code != NOT_FOUND or workspace.find(kind.path(name)) is not None:
            raise
        if workspace.find(other.path(name)) is None:
            raise
        said = f"{name!r} is no {kind.word} endpoint: it is of the other type. Give --type"
        raise CommandError(error.code, f"{said} {other.word}.", exit_code=NOT_FOUND) from error


def _name(found: Document) -> str:
    if not found.values.get("name"):
        raise found.error((), "an endpoint needs a name: give --name or the field `name`")
    return str(found.values["name"])
