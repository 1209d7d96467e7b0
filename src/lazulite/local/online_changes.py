"""`ml online-deployment create` and `update` with --local."""

from __future__ import annotations

from typing import Any

from lazulite.cli import deployments, online_deployments
from lazulite.cli.arguments import Arguments
from lazulite.cli.documents import Document
from lazulite.local.debugging import chosen_port
from lazulite.local.deploying import deploy
from lazulite.local.endpoints import LocalEndpoints


def create(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """Start the deployment, in the place of one of that name."""
    found = deployments.document(arguments, online_deployments.SHAPE)
    return _deployed(local, arguments, found)


def update(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """Start the deployment anew with what the file and the options say, and the rest as it is."""
    endpoint, name = deployments.names(arguments)
    current = local.records.get(endpoint).deployment(name).values
    found = deployments.document(arguments, online_deployments.SHAPE, current)
    return _deployed(local, arguments, found)


def _deployed(local: LocalEndpoints, arguments: Arguments, found: Document) -> dict[str, Any]:
    name = str(found.values["endpoint_name"])
    if local.records.find(name) is None:
        raise found.error(
            ("endpoint_name",),
            f"there is no local endpoint {name!r}; create it with `lazulite ml online-endpoint"
            f" create --local -n {name}`",
        )
    endpoint = deploy(local, name, [found], chosen_port(arguments, local.report))
    return local.show_deployment(endpoint, endpoint.deployment(str(found.values["name"])))
