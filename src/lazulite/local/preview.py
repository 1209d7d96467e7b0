"""`ml endpoint` of 2021-05 with --local: an endpoint and its deployments in one file."""

from __future__ import annotations

import dataclasses
from typing import Any

from lazulite.cli import endpoints
from lazulite.cli.arguments import Arguments
from lazulite.cli.documents import Document
from lazulite.cli.endpoint_files import shown
from lazulite.cli.endpoint_types import BATCH, ONLINE, type_of
from lazulite.cli.errors import CommandError
from lazulite.local import online
from lazulite.local.endpoints import LocalEndpoints
from lazulite.local.records import LocalEndpoint


def show(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """The endpoint with its deployments; with --deployment, that one."""
    refuse_batch(arguments)
    endpoint = local.records.get(arguments.name)
    found = whole(local, endpoint)
    if not arguments.deployment_name:
        return found
    name = endpoint.deployment(arguments.deployment_name).name
    return next(dict(each) for each in found["deployments"] if each["name"] == name)


def listing(local: LocalEndpoints, arguments: Arguments) -> list[dict[str, Any]]:
    """All local endpoints, without their deployments."""
    refuse_batch(arguments)
    return [{**each, "type": "online"} for each in online.list_endpoints(local, arguments)]


def delete(local: LocalEndpoints, arguments: Arguments) -> None:
    """Stop and delete the endpoint with its deployments; with --deployment, only that one."""
    refuse_batch(arguments)
    local.remove(arguments.name, arguments.deployment_name)


def invoke(local: LocalEndpoints, arguments: Arguments) -> str:
    """The model's answer, as text."""
    refuse_batch(arguments)
    endpoints.refuse_batch_options(arguments, is_batch=False)
    return online.invoke(local, arguments)


def logs(local: LocalEndpoints, arguments: Arguments) -> None:
    """Print the logs of a deployment."""
    asked = dataclasses.replace(
        arguments, endpoint_name=arguments.name, name=arguments.deployment_name
    )
    online.logs(local, asked)


def refuse_batch(arguments: Arguments, found: Document | None = None) -> None:
    """Raise CommandError for a batch endpoint. Source: seed 001, "create a compute target"."""
    if type_of(arguments.kind, found or Document({})) is BATCH:
        raise CommandError(
            "LocalEndpointNotSupported",
            "Batch endpoints do not run with --local, here as in Azure: leave --local out.",
        )


def whole(local: LocalEndpoints, endpoint: LocalEndpoint) -> dict[str, Any]:
    """The endpoint with its deployments, as a file of 2021-05 has them."""
    made = [local.show_deployment(endpoint, each) for each in endpoint.deployments]
    return shown(local.show(endpoint), sorted(made, key=lambda each: str(each["name"])), ONLINE)
