"""`ml endpoint create` and `update` of 2021-05 with --local."""

from __future__ import annotations

from typing import Any

from lazulite.cli import endpoint_updates, endpoints
from lazulite.cli.arguments import Arguments
from lazulite.cli.documents import Document
from lazulite.cli.endpoint_files import EndpointFile, check_traffic, read_endpoint
from lazulite.cli.endpoint_types import ONLINE
from lazulite.cli.errors import CommandError
from lazulite.local.debugging import chosen_port
from lazulite.local.deploying import deploy
from lazulite.local.endpoints import LocalEndpoints
from lazulite.local.online import refuse_traffic
from lazulite.local.preview import refuse_batch, whole


def create(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """Create the endpoint and start the deployments of its file.

    An endpoint that is new goes again if none of its deployments could be started.
    """
    found = endpoints.document(arguments)
    refuse_batch(arguments, found)
    file = read_endpoint(found, ONLINE)
    check_traffic(file.endpoint, ONLINE, file.deployments if file.is_whole else None)
    if not file.endpoint.values.get("name"):
        raise file.endpoint.error((), "an endpoint needs a name: give --name or the field `name`")
    name = str(file.endpoint.values["name"])
    is_new = local.records.find(name) is None
    local.put(ONLINE.modern(dict(file.endpoint.values)))
    try:
        _deploy(local, arguments, name, file)
    except CommandError:
        if is_new and not local.records.get(name).deployments:
            local.remove(name)
        raise
    return whole(local, local.records.get(name))


def update(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """Make the endpoint what the file or the options say; its deployments start anew.

    A file is declarative: a deployment that it leaves out is deleted. Source: seed 002, "update".
    """
    refuse_traffic(arguments)
    endpoint_updates.refuse_nothing(arguments)
    found = endpoints.document(arguments) if arguments.file else Document({"name": arguments.name})
    refuse_batch(arguments, found)
    name = endpoint_updates.named(found)
    current = whole(local, local.records.get(name))
    file = endpoint_updates.wanted(arguments, found, current, ONLINE)
    removed = endpoint_updates.removed(file, current)
    endpoint_updates.check(file, current, removed, ONLINE)
    _deploy(local, arguments, name, file)
    kept = local.records.get(name).values
    local.put(ONLINE.modern({**kept, **file.endpoint.values, "name": name}))
    for each in removed:
        local.remove(name, each)
    return whole(local, local.records.get(name))


def _deploy(local: LocalEndpoints, arguments: Arguments, name: str, file: EndpointFile) -> None:
    found = list(file.deployments.values())
    port = chosen_port(arguments, local.report)
    if port is not None and len(found) > 1:
        raise CommandError("InvalidArgument", "--debug-port is for one deployment at a time.")
    if found:
        deploy(local, name, found, port)
