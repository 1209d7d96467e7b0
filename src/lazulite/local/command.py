"""The commands that know --local, and what each does then: nothing is imported for the others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import InterruptedCommandError
from lazulite.cli.report import Report
from lazulite.core.settings import read_settings
from lazulite.local.endpoints import LocalEndpoints
from lazulite.local.records import Records
from lazulite.local.replicas import LocalReplicas

COMMANDS: Mapping[str, str] = {
    "endpoint create": "preview_changes#create",
    "endpoint update": "preview_changes#update",
    "endpoint show": "preview#show",
    "endpoint list": "preview#listing",
    "endpoint delete": "preview#delete",
    "endpoint invoke": "preview#invoke",
    "endpoint get-logs": "preview#logs",
    "online-endpoint create": "online#create_endpoint",
    "online-endpoint update": "online#update_endpoint",
    "online-endpoint show": "online#show_endpoint",
    "online-endpoint list": "online#list_endpoints",
    "online-endpoint delete": "online#delete_endpoint",
    "online-endpoint invoke": "online#invoke",
    "online-deployment create": "online_changes#create",
    "online-deployment update": "online_changes#update",
    "online-deployment show": "online#show_deployment",
    "online-deployment list": "online#list_deployments",
    "online-deployment delete": "online#delete_deployment",
    "online-deployment get-logs": "online#logs",
}


def run(name: str, arguments: Arguments, environ: Mapping[str, str], report: Report) -> Any:
    """What the command answers. Needs no server, and none is asked.

    Raises LazuliteError for what is refused.
    """
    settings = read_settings(environ, data_dir=arguments.data_dir or None)
    data = settings.data_dir.resolve()
    records = Records(data / "local" / "endpoints")
    replicas = LocalReplicas.of(data, environ)
    module, _, function = COMMANDS[name].partition("#")
    perform = getattr(import_module(f"lazulite.local.{module}"), function)
    try:
        return perform(LocalEndpoints(records, replicas, settings, environ, report), arguments)
    except KeyboardInterrupt:
        raise InterruptedCommandError(
            "What was begun goes on by itself. `show --local` tells how it stands, and the same"
            " command again does the rest."
        ) from None
