"""`cloud`: there is one, this server, under the name that scripts of az expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.connection import data_directory, server_url
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.report import Report

NAME = "AzureCloud"


def show(arguments: Arguments, environ: Mapping[str, str], report: Report) -> dict[str, Any]:
    """The cloud. Raises CommandError for another name than its own."""
    if arguments.name and arguments.name.lower() != NAME.lower():
        raise CommandError(
            "CloudNotFound",
            f"The cloud {arguments.name!r} is not registered: there is {NAME}, which is this"
            " server.",
            exit_code=NOT_FOUND,
        )
    url = server_url(data_directory(arguments.data_dir, environ), environ)
    endpoints = {
        "activeDirectory": url,
        "activeDirectoryGraphResourceId": f"{url}/graph",
        "activeDirectoryResourceId": url,
        "management": url,
        "microsoftGraphResourceId": f"{url}/graph",
        "resourceManager": url,
    }
    return {
        "endpoints": endpoints,
        "isActive": True,
        "name": NAME,
        "profile": "latest",
        "suffixes": {},
    }


def listing(
    arguments: Arguments, environ: Mapping[str, str], report: Report
) -> list[dict[str, Any]]:
    """The one cloud."""
    return [show(Arguments(data_dir=arguments.data_dir), environ, report)]


def profiles(arguments: Arguments, environ: Mapping[str, str], report: Report) -> list[str]:
    """The one profile."""
    return ["latest"]


def unchanged(arguments: Arguments, environ: Mapping[str, str], report: Report) -> None:
    """Change nothing, and say so: scripts may name any cloud, they reach this server."""
    report.note("Nothing is changed: the cloud is this server. LAZULITE_URL names another one.")
