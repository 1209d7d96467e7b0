"""`account` and `configure`: which subscription and workspace, and tokens for other tools."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import pairs
from lazulite.cli.clouds import NAME
from lazulite.cli.defaults import keep_defaults, place_of_defaults, read_defaults
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.spelling import nearest
from lazulite.cli.workspace import Workspace

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_API_VERSION = "2022-12-01"
_RESOURCES = {
    "arm": "",
    "aml": "https://ml.azure.com",
    "ms-graph": "https://graph.microsoft.com",
}
_DEFAULTS = {"group": "resource_group", "workspace": "workspace", "location": "location"}


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The subscription that commands work on."""
    wanted = arguments.subscription or workspace.connection.subscription_id
    found = _subscription(listing(workspace, arguments), wanted)
    return {**{name: found[name] for name in found if name != "cloudName"}, "environmentName": NAME}


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All subscriptions, as `az account list` prints them."""
    known = workspace.connection
    url = f"{known.url}/subscriptions?api-version={_API_VERSION}"
    return [
        {
            "cloudName": NAME,
            "homeTenantId": each["tenantId"],
            "id": each["subscriptionId"],
            "isDefault": each["subscriptionId"] == known.subscription_id,
            "managedByTenants": [],
            "name": each["displayName"],
            "state": each["state"],
            "tenantId": each["tenantId"],
            "user": {"name": known.client_id, "type": "servicePrincipal"},
        }
        for each in workspace.call("GET", url).value()["value"]
    ]


def locations(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The regions of the subscription."""
    known = workspace.connection
    path = f"/subscriptions/{known.subscription_id}/locations"
    found = workspace.call("GET", f"{known.url}{path}?api-version={_API_VERSION}").value()
    return list(found["value"])


def tenants(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The tenants, as `az account tenant list` prints them."""
    url = f"{workspace.connection.url}/tenants?api-version={_API_VERSION}"
    return list(workspace.call("GET", url).value()["value"])


def choose(workspace: Workspace, arguments: Arguments) -> None:
    """Work on a subscription from now on, by its id or name."""
    chosen = _subscription(listing(workspace, arguments), arguments.subscription)
    keep_defaults(workspace.connection.data_dir, {"subscription_id": chosen["id"]})


def in_subscription(workspace: Workspace, wanted: str) -> Workspace:
    """The same server and names in the subscription of that id or name.

    An id is taken as it is; a name is looked up. Raises CommandError if there is none of it.
    """
    if not _GUID.fullmatch(wanted):
        wanted = str(_subscription(listing(workspace, Arguments()), wanted)["id"])
    connection = dataclasses.replace(workspace.connection, subscription_id=wanted)
    return dataclasses.replace(workspace, connection=connection)


def access_token(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """A token for management, or for the service of --resource or --scope, as az prints it."""
    resource = arguments.resource.removesuffix("/") or _resource(arguments.resource_type)
    scope = arguments.scope or (f"{resource}/.default" if resource else "")
    token = workspace.tokens.get(scope or workspace.tokens.management)
    claims = claims_of(token)
    expires = int(claims["exp"])
    local = datetime.fromtimestamp(expires, UTC).astimezone()
    return {
        "accessToken": token,
        "expiresOn": local.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "expires_on": expires,
        "subscription": workspace.connection.subscription_id,
        "tenant": claims["tid"],
        "tokenType": "Bearer",
    }


def configure(workspace: Workspace, arguments: Arguments) -> list[dict[str, str]] | None:
    """Keep the names of --defaults, or show what is kept as az does. name='' forgets one."""
    given = pairs(arguments.default_values, "--defaults")
    for name in given:
        if name not in _DEFAULTS:
            raise CommandError(
                "InvalidArgument",
                f"--defaults knows group, workspace and location, not {name!r}"
                f"{nearest(name, _DEFAULTS)}",
            )
    data_dir = workspace.connection.data_dir
    if not given or arguments.list_defaults:
        kept, source = read_defaults(data_dir), str(place_of_defaults(data_dir))
        named = {name: kept[field] for name, field in _DEFAULTS.items() if field in kept}
        return [{"name": name, "source": source, "value": named[name]} for name in sorted(named)]
    keep_defaults(data_dir, {_DEFAULTS[name]: text for name, text in given.items()})
    return None


def _subscription(found: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    for each in found:
        if wanted.lower() in {each["id"].lower(), each["name"].lower()}:
            return each
    there = ", ".join(each["id"] for each in found) or "none"
    raise CommandError(
        "SubscriptionNotFound",
        f"There is no subscription {wanted!r}; there is {there}.",
        exit_code=NOT_FOUND,
    )


def _resource(kind: str) -> str:
    """The service that --resource-type means. Raises CommandError."""
    if kind and kind not in _RESOURCES:
        rule = f"--resource-type {kind!r} is not one of {', '.join(_RESOURCES)}"
        raise CommandError("InvalidArgument", f"{rule}{nearest(kind, _RESOURCES)}")
    return _RESOURCES.get(kind, "")


def claims_of(token: str) -> Mapping[str, Any]:
    body = token.split(".")[1]
    claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims
