"""`ml endpoint update` of 2021-05: by a whole file, a deployment's file, or single values.

A whole file is declarative: what it does not have is deleted. Source: seed 002, "update".
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import edited, percentages
from lazulite.cli.documents import Document, read
from lazulite.cli.endpoint_changes import changes, refuse_several, traffic_differs
from lazulite.cli.endpoint_files import (
    EndpointFile,
    check_traffic,
    endpoint_fields,
    fields_of,
    read_deployment,
    read_endpoint,
)
from lazulite.cli.endpoint_types import BATCH, EndpointType, type_of
from lazulite.cli.endpoints import document, of_type, state
from lazulite.cli.errors import CommandError
from lazulite.cli.workspace import Workspace


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Make the endpoint what the file or the options say; a second call changes nothing.

    Raises CommandError, with nothing changed, if that is more than one change of an online one.
    """
    refuse_nothing(arguments)
    found = document(arguments) if arguments.file else Document({"name": arguments.name})
    kind, name = type_of(arguments.kind, found), named(found)
    with of_type(workspace, kind, name):
        current = state(workspace, kind, name)
    file = wanted(arguments, found, current, kind)
    gone = removed(file, current)
    check(file, current, gone, kind)
    _apply(workspace, kind, file, current, gone, waiting=not arguments.no_wait)
    return state(workspace, kind, name)


def named(found: Document) -> str:
    """The endpoint that the file or --name names. Raises CommandError without either."""
    name = found.values.get("name")
    if not name:
        raise found.error((), "which endpoint? Give --name or the field `name`")
    return str(name)


def wanted(
    arguments: Arguments, found: Document, current: Mapping[str, Any], kind: EndpointType
) -> EndpointFile:
    """What should be there afterwards, as far as it is told."""
    if arguments.file:
        if arguments.traffic:
            found = found.changed({**found.values, "traffic": dict(percentages(arguments.traffic))})
        return read_endpoint(found, kind)
    before = fields_of(current, kind)
    after = edited(_with_options(arguments, before, kind), arguments)
    file = read_endpoint(Document(after), kind)
    known = {each["name"]: each for each in before["deployments"]}
    raw = {each.get("name"): each for each in after["deployments"]}
    parts = {name: part for name, part in file.deployments.items() if raw[name] != known.get(name)}
    return EndpointFile(file.endpoint, {**parts, **_single(arguments, kind)}, is_whole=False)


def _with_options(
    arguments: Arguments, before: Mapping[str, Any], kind: EndpointType
) -> dict[str, Any]:
    """What is there, with --traffic and --instance-count over it."""
    values = copy.deepcopy(dict(before))
    if arguments.traffic:
        values["traffic"] = percentages(arguments.traffic)
    if arguments.instance_count is not None:
        group = "compute" if kind is BATCH else "scale_settings"
        chosen = _chosen(values["deployments"], arguments.deployment_name)
        chosen[group] = {**chosen[group], "instance_count": arguments.instance_count}
    return values


def _chosen(deployments: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for each in deployments:
        if each["name"].lower() == name.lower():
            return each
    there = ", ".join(each["name"] for each in deployments) or "none"
    raise CommandError(
        "InvalidArgument", f"--instance-count needs --deployment with one of: {there}."
    )


def _single(arguments: Arguments, kind: EndpointType) -> dict[str, Document]:
    """The deployment of --deployment-file, under the name of --deployment."""
    if not arguments.deployment_file:
        return {}
    found = read_deployment(read(Path(arguments.deployment_file)), kind)
    name = arguments.deployment_name or found.values.get("name")
    if not name:
        raise found.error((), "which deployment? Give --deployment or the field `name`")
    return {str(name): found.changed({**found.values, "name": str(name)})}


def removed(file: EndpointFile, current: Mapping[str, Any]) -> list[str]:
    """The deployments that are there and that a whole file leaves out."""
    kept = {name.lower() for name in file.deployments}
    names = [each["name"] for each in current["deployments"]]
    return [name for name in names if name.lower() not in kept] if file.is_whole else []


def check(
    file: EndpointFile, current: Mapping[str, Any], gone: list[str], kind: EndpointType
) -> None:
    """Refuse traffic to what will not be there."""
    before = [each["name"] for each in current["deployments"] if each["name"] not in gone]
    endpoint = file.endpoint
    if "traffic" not in endpoint.values:
        endpoint = endpoint.changed({**endpoint.values, "traffic": current.get("traffic") or {}})
    check_traffic(endpoint, kind, [*before, *file.deployments])


def _apply(
    workspace: Workspace,
    kind: EndpointType,
    file: EndpointFile,
    current: Mapping[str, Any],
    gone: list[str],
    *,
    waiting: bool,
) -> None:
    """New deployments first, then the traffic, then what is to go."""
    kept = endpoint_fields(current, kind)
    wanted = {**kept, **file.endpoint.values, "name": current["name"]}
    if kind is not BATCH:  # looked at before anything is registered
        would_be = _resolved(workspace.rehearsal(), kind, file)
        refuse_several(_changed(current, would_be, wanted, kind))
    resolved = _resolved(workspace, kind, file)
    location, name = workspace.location(), current["name"]
    started = operations.start(
        workspace,
        {
            kind.verbs.path(name, each): kind.to_body(values, location)
            for each, values in resolved.items()
        },
    )
    if waiting or gone:  # nothing goes before what takes its place is there
        operations.wait(workspace, started)
    traffic = wanted.get("traffic") or {}
    wanted["traffic"] = {each: share for each, share in traffic.items() if each not in gone}
    if wanted != kept:
        kind.put(workspace, kind.modern(wanted), waiting=waiting)
    for each in gone:
        operations.delete(workspace, kind.verbs.path(name, each), waiting=waiting)


def _resolved(
    workspace: Workspace, kind: EndpointType, file: EndpointFile
) -> dict[str, dict[str, Any]]:
    """The deployments with what they define in place registered: ARM ids only."""
    return {name: kind.resolved(workspace, part) for name, part in file.deployments.items()}


def _changed(
    current: Mapping[str, Any],
    resolved: Mapping[str, Mapping[str, Any]],
    wanted: Mapping[str, Any],
    kind: EndpointType,
) -> list[str]:
    """What differs from what is there, in words."""
    before = {
        each["name"].lower(): kind.modern_deployment(
            {name: item for name, item in each.items() if name in kind.deployment_shape}
        )
        for each in current["deployments"]
    }
    found = (
        ["the traffic"] if traffic_differs(current.get("traffic"), wanted.get("traffic")) else []
    )
    for name, values in resolved.items():
        if name.lower() in before:
            differing = changes(before[name.lower()], values)
            found += [f"the {element} of {name}" for element in differing]
    return found


def refuse_nothing(arguments: Arguments) -> None:
    """Raise CommandError unless the options say one way what to change."""
    if arguments.file and arguments.deployment_file:
        raise CommandError("InvalidArgument", "Give --file or --deployment-file, not both.")
    told = dataclasses.asdict(arguments)
    names = ("file", "deployment_file", "traffic", "set_values")
    if not any(told[name] for name in names) and arguments.instance_count is None:
        raise CommandError(
            "InvalidArgument",
            "Say what to change: --file, --deployment-file, --traffic, --instance-count or --set.",
        )
