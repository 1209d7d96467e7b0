"""`login` and `logout`: as whom commands work on a server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import account, device_login
from lazulite.cli.arguments import Arguments
from lazulite.cli.connection import (
    Connection,
    connect,
    data_directory,
    server_certificates,
    server_url,
)
from lazulite.cli.defaults import keep_defaults, read_defaults
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http
from lazulite.cli.report import Report
from lazulite.cli.sign_in import (
    BY_DEVICE,
    SIGNED_OUT,
    forget_sign_in,
    keep_sign_in,
    read_sign_in,
)
from lazulite.cli.workspace import Workspace


def login(
    arguments: Arguments, environ: Mapping[str, str], report: Report
) -> list[dict[str, Any]] | None:
    """Sign in and list the subscriptions. Nothing is kept if the server refuses.

    Without --service-principal: as the administrator, whose credentials the server left on this
    machine. --use-device-code waits until somebody approves it; --approve signs nobody in here.
    Raises CommandError for ways of signing in that are not there.
    """
    data_dir = data_directory(arguments.data_dir, environ)
    if arguments.approve:
        with _opened(connect(data_dir, environ), report) as workspace:
            device_login.approve(workspace, arguments)
        return None
    if arguments.device_code:
        return _by_device(data_dir, environ, report)
    _refuse_others(arguments)
    given = _given(arguments)
    plain = {name: item for name, item in environ.items() if name not in _OWN}
    connection = connect(data_dir, plain, signed_in=given or {})
    found = _subscriptions(connection, arguments, report)
    if given:
        keep_sign_in(data_dir, connection.url, given)
    else:
        forget_sign_in(data_dir)
    _note_others(environ, report)
    return found


def _note_others(environ: Mapping[str, str], report: Report) -> None:
    if environ.get("AZURE_CLIENT_ID"):
        report.note(
            "AZURE_CLIENT_ID is set, and comes before the login: unset it to use the login."
        )


def logout(arguments: Arguments, environ: Mapping[str, str], report: Report) -> None:
    """Sign out: commands say so until the next login.

    The secret of a sign-in by device code is removed from the server, too, if it may do that.
    """
    data_dir = data_directory(arguments.data_dir, environ)
    try:
        _give_back(data_dir, environ, report)
    finally:
        forget_sign_in(data_dir)
    keep_sign_in(data_dir, server_url(data_dir, environ), {SIGNED_OUT: "yes"})


def _give_back(data_dir: Path, environ: Mapping[str, str], report: Report) -> None:
    """Remove the secret that a device code gave; a note says how, if it is not possible."""
    kept = read_sign_in(data_dir, server_url(data_dir, environ))
    if BY_DEVICE not in kept:
        return
    plain = {name: item for name, item in environ.items() if name not in _OWN}
    try:
        with _opened(connect(data_dir, plain), report) as workspace:
            device_login.give_back(workspace)
    except CommandError as error:
        ad = f"lazulite ad sp credential %s --id {kept['client_id']}"
        report.note(
            f"The secret of this device is still good on the server, which said: {error} An"
            f" administrator finds it with `{ad % 'list'}`, and removes it with"
            f" `{ad % 'delete'} --key-id ID`."
        )


_OWN = frozenset({"AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"})


def _refuse_others(arguments: Arguments) -> None:
    if arguments.identity:
        raise CommandError(
            "SignInNotSupported",
            "--identity is not there: sign in with --service-principal -u APP_ID -p SECRET"
            " --tenant T, with --use-device-code, or without options as the administrator of a"
            " server on this machine.",
        )
    if arguments.username and not arguments.service_principal:
        raise CommandError(
            "SignInNotSupported",
            "There are no users here: add --service-principal to sign in as one; `lazulite ad sp"
            " create-for-rbac` makes it.",
        )


def _by_device(data_dir: Path, environ: Mapping[str, str], report: Report) -> list[dict[str, Any]]:
    """Sign in with a device code; the first subscription is chosen if none is yet."""
    url = server_url(data_dir, environ)
    http = Http(server_certificates(data_dir, environ))
    try:
        given = device_login.sign_in(http, url, report, time.sleep)
    finally:
        http.close()
    known = Connection(
        url=url,
        subscription_id=read_defaults(data_dir).get("subscription_id", ""),
        resource_group="",
        workspace="",
        ca_file=server_certificates(data_dir, environ),
        token_cache=data_dir / "cli" / "tokens.json",
        credentials=data_dir / "credentials.json",
        data_dir=data_dir,
        **given,
    )
    found = _subscriptions(known, Arguments(), report)
    keep_sign_in(data_dir, url, {**given, BY_DEVICE: "yes"})
    if found and not known.subscription_id:
        keep_defaults(data_dir, {"subscription_id": found[0]["id"]})
        found[0]["isDefault"] = True
    _note_others(environ, report)
    return found


def _given(arguments: Arguments) -> dict[str, str] | None:
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
    with _opened(connection, report) as workspace:
        workspace.tokens.renew(workspace.tokens.management)
        return account.listing(workspace, arguments)


@contextlib.contextmanager
def _opened(connection: Connection, report: Report) -> Iterator[Workspace]:
    workspace = Workspace.over(connection, report)
    with contextlib.closing(workspace.http):
        yield workspace
