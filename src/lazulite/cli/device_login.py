"""Both ends of a sign-in by device code. Source: RFC 8628."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from lazulite.cli.account import claims_of
from lazulite.cli.arguments import Arguments
from lazulite.cli.directory import find_application, graph
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http, Request
from lazulite.cli.report import Report
from lazulite.cli.terminal import confirmed
from lazulite.cli.workspace import Workspace

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_CLIENT = "lazulite"
_WHO = (
    "--approve needs --username APP_ID, the service principal that the device shall sign in as:"
    " whoever has the code gets all of its rights. `lazulite ad sp create-for-rbac` makes one."
)


def sign_in(http: Http, url: str, report: Report, sleep: Callable[[float], None]) -> dict[str, str]:
    """Ask for a code, say it, and wait until it is approved; who signed in, as a login keeps it.

    Raises CommandError if it is not approved in its time.
    """
    scope = f"{url}/.default"
    begun = _post(http, f"{url}/common/oauth2/v2.0/devicecode", scope=scope)
    _told(begun)
    report.note(str(begun["message"]))
    interval, code = float(begun["interval"]), str(begun["device_code"])
    while True:
        sleep(interval)
        where = f"{url}/common/oauth2/v2.0/token"
        answer = _post(http, where, scope=scope, grant_type=_GRANT, device_code=code)
        if answer.get("error") == "slow_down":
            interval += 5
        elif answer.get("error") != "authorization_pending":
            return _principal(_told(answer))


def approve(workspace: Workspace, arguments: Arguments) -> None:
    """Let the device with the code of --approve sign in as --username, once the caller agrees.

    Raises CommandError without --username, and if the caller does not agree.
    """
    app_id, path = arguments.username, f"/deviceCodes/{quote(arguments.approve, safe='')}"
    if not app_id:
        raise CommandError("InvalidArgument", _WHO)
    _agreed(graph(workspace, "GET", path), arguments)
    graph(workspace, "POST", f"{path}/approve", {"appId": app_id})
    workspace.report.note(
        f"The device signs in as {app_id} now."
        f" `lazulite ad sp credential list --id {app_id}` shows what it holds."
    )


def _agreed(found: dict[str, Any], arguments: Arguments) -> None:
    """Show who asks; go on if the caller knows them. Raises CommandError."""
    asks = (
        f"The client {found['client']!r} asked for this code at {found['createdDateTime']}, from"
        f" the address {found['address']!r}."
    )
    print(asks, file=sys.stderr, flush=True)
    if not arguments.yes and not confirmed(f"Let it sign in as {arguments.username}?"):
        raise CommandError("NotConfirmed", "The device code is not approved.")


def give_back(workspace: Workspace) -> None:
    """Remove the secret that a device code gave. Raises CommandError if its owner may not."""
    token = workspace.tokens.get(f"{workspace.connection.url}/graph/.default")
    application = find_application(workspace, workspace.connection.client_id)
    body = {"keyId": claims_of(token)["credential"]}
    graph(workspace, "POST", f"/applications/{application['id']}/removePassword", body)


def _principal(answer: dict[str, Any]) -> dict[str, str]:
    """A refresh token of this server is the app id and a secret of it."""
    client_id, _, secret = str(answer["refresh_token"]).partition(".")
    tenant_id = str(claims_of(str(answer["access_token"]))["tid"])
    return {"tenant_id": tenant_id, "client_id": client_id, "client_secret": secret}


def _post(http: Http, url: str, **fields: str) -> dict[str, Any]:
    body = urlencode({"client_id": _CLIENT, **fields}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    value = http.send(Request(method="POST", url=url, headers=headers, body=body)).value()
    return value if isinstance(value, dict) else {"error": "invalid_response"}


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer. Raises CommandError with the server's words if it is a refusal."""
    if "error" in answer:
        said = answer.get("error_description") or answer["error"]
        raise CommandError("AuthenticationFailed", f"The sign-in failed: {said}")
    return answer
