"""`login` and `logout`: as whom commands work on a server."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import account
from lazulite.cli.arguments import Arguments
from lazulite.cli.connection import Connection, connect, data_directory, server_url
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http
from lazulite.cli.report import Report
from lazulite.cli.sign_in import SIGNED_OUT, forget_sign_in, keep_sign_in
from lazulite.cli.tokens import Tokens
from lazulite.cli.workspace import Workspace


def login(arguments: Arguments, environ: Mapping[str, str], report: Report) -> list[dict[str, Any]]:
    """Sign in and list the subscriptions. Nothing is kept if the server refuses.

    Without --service-principal: as the administrator, whose credentials the server left on this
    machine. Raises CommandError for ways of signing in that are not there.
    """
    _refuse_others(arguments)
    data_dir = data_directory(arguments.data_dir, environ)
    given = _given(arguments, data_dir, environ)
    plain = {name: item for name, item in environ.items() if name not in _OWN}
    connection = connect(data_dir, plain, signed_in=given or {})
    found = _subscriptions(connection, arguments, report)
    if given:
        keep_sign_in(data_dir, connection.url, given)
    else:
        forget_sign_in(data_dir)
    if environ.get("AZURE_CLIENT_ID"):
        report.note(
            "AZURE_CLIENT_ID is set, and comes before the login: unset it to use the login."
        )
    return found


def logout(arguments: Arguments, environ: Mapping[str, str], report: Report) -> None:
    """Sign out: commands say so until the next login. What the server knows does not change."""
    data_dir = data_directory(arguments.data_dir, environ)
    forget_sign_in(data_dir)
    keep_sign_in(data_dir, server_url(data_dir, environ), {SIGNED_OUT: "yes"})


_OWN = frozenset({"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"})


def _refuse_others(arguments: Arguments) -> None:
    if arguments.identity or arguments.device_code:
        way = "--identity" if arguments.identity else "--use-device-code"
        raise CommandError(
            "SignInNotSupported",
            f"{way} is not there: sign in with --service-principal -u APP_ID -p SECRET --tenant T,"
            " or without options as the administrator of a server on this machine.",
        )
    if arguments.username and not arguments.service_principal:
        raise CommandError(
            "SignInNotSupported",
            "There are no users here: add --service-principal to sign in as one; `lazulite ad sp"
            " create-for-rbac` makes it.",
        )


def _given(
    arguments: Arguments, data_dir: Path, environ: Mapping[str, str]
) -> dict[str, str] | None:
    """The service principal of the options; None for the administrator."""
    if not arguments.service_principal:
        return None
    told = {
        "--username": arguments.username,
        "--password": arguments.password,
        "--tenant": arguments.tenant,
    }
    if lacking := [option for option, text in told.items() if not text]:
        rule = f"--service-principal needs {', '.join(lacking)} as well."
        raise CommandError("InvalidArgument", rule)
    return {
        "tenant_id": arguments.tenant,
        "client_id": arguments.username,
        "client_secret": arguments.password,
    }


def _subscriptions(
    connection: Connection, arguments: Arguments, report: Report
) -> list[dict[str, Any]]:
    """Asked with a token that is new, so that a wrong secret is refused here."""
    http = Http(connection.ca_file)
    tokens = Tokens(connection, http, time.time)
    workspace = Workspace(
        connection=connection,
        http=http,
        tokens=tokens,
        report=report,
        sleep=time.sleep,
        make_id=lambda: str(uuid.uuid4()),
    )
    try:
        tokens.renew(tokens.management)
        return account.listing(workspace, arguments)
    finally:
        http.close()
