"""`ml online-endpoint`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import percentages
from lazulite.cli.errors import CommandError, from_body
from lazulite.cli.http import Request
from lazulite.cli.shapes import ANYTHING, NUMBERS, TEXT, TEXTS, Shape
from lazulite.cli.wire import camel_keys, envelope, snake_keys
from lazulite.cli.workspace import API_VERSION, Workspace

COLLECTION = "onlineEndpoints"
SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
    "auth_mode": frozenset({"key", "aml_token", "aad_token"}),
    "compute": TEXT,
    "traffic": NUMBERS,
    "mirror_traffic": NUMBERS,
    "identity": ANYTHING,
    "kind": TEXT,
    "location": TEXT,
    "public_network_access": frozenset({"enabled", "disabled"}),
}
AUTH_MODES = {"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}
ML_SCOPE = "https://ml.azure.com/.default"
"""What an access token for scoring is asked for."""
VERSION = "2023-10-01"
"""The version of the API that says all of an endpoint."""
_NEWER = frozenset({"mirrorTraffic", "publicNetworkAccess"})
"""Properties that the usual version does not know, and would leave out without a word."""


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the endpoint, or replace it."""
    values = assets.document(arguments, SHAPE, auth_mode=arguments.auth_mode).values
    return put(workspace, _named(values), waiting=not arguments.no_wait)


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say; the rest stays as it is."""
    name = assets.name_in(arguments, "an endpoint")
    current = view(workspace.get(f"{COLLECTION}/{name}", VERSION))
    kept = {name: value for name, value in current.items() if name in SHAPE}
    changed = assets.document(arguments, SHAPE, kept).values
    traffic = percentages(arguments.traffic) if arguments.traffic else None
    mirror = arguments.mirror_traffic
    changes = {
        "traffic": traffic,
        "mirror_traffic": percentages(mirror, "--mirror-traffic") if mirror else None,
    }
    values = {**changed, **{key: value for key, value in changes.items() if value}}
    return put(workspace, values, waiting=not arguments.no_wait)


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One endpoint."""
    return view(workspace.get(f"{COLLECTION}/{arguments.name}", VERSION))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All online endpoints."""
    return [view(item) for item in workspace.list(COLLECTION, VERSION)]


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the endpoint with its deployments."""
    operations.delete(workspace, f"{COLLECTION}/{arguments.name}", waiting=not arguments.no_wait)


def invoke(workspace: Workspace, arguments: Arguments) -> str:
    """The model's answer, as text. Source: spec/REST.md 8.0."""
    endpoint = view(workspace.get(f"{COLLECTION}/{arguments.name}"))
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {_secret(workspace, arguments, endpoint)}",
    }
    if arguments.deployment_name:
        headers["azureml-model-deployment"] = arguments.deployment_name
    url = str(endpoint["scoring_uri"])
    body = request_body(arguments)
    with workspace.report.waiting(f"Scoring at {arguments.name}"):
        answer = workspace.http.send(Request(method="POST", url=url, headers=headers, body=body))
    if not answer.is_success:
        raise from_body(answer.value(), status=answer.status, asked=f"POST {url}")
    return answer.body.decode(errors="replace")


def credentials(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """What opens the endpoint: both keys, a token of its own, or an access token.

    For auth_mode aad_token it is the caller's own access token, as the Python SDK has it; whether
    it may score is for roles to say. Source: spec/CLIENTS.md 3.1.
    """
    endpoint = view(workspace.get(f"{COLLECTION}/{arguments.name}"))
    if endpoint.get("auth_mode") == "aad_token":
        token, expires_at = workspace.tokens.lasting(ML_SCOPE)
        return {"accessToken": token, "expiryTimeUtc": int(expires_at), "tokenType": "Bearer"}
    action = "listKeys" if endpoint.get("auth_mode") == "key" else "token"
    return dict(workspace.post(f"{COLLECTION}/{arguments.name}/{action}"))


def regenerate_keys(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Replace one key, and show both."""
    kind = (arguments.key_type or "primary").capitalize()
    if kind not in {"Primary", "Secondary"}:
        raise CommandError("InvalidArgument", f"--key-type {kind!r} must be primary or secondary.")
    workspace.post(f"{COLLECTION}/{arguments.name}/regenerateKeys", {"keyType": kind})
    return dict(workspace.post(f"{COLLECTION}/{arguments.name}/listKeys"))


def put(workspace: Workspace, values: Mapping[str, Any], *, waiting: bool = True) -> dict[str, Any]:
    """Put the endpoint as the values in YAML's words say, and wait until it is ready."""
    body = to_body(values, values.get("location") or workspace.location())
    newer = _NEWER & body["properties"].keys()
    version = VERSION if newer else API_VERSION
    path = f"{COLLECTION}/{values['name']}"
    return view(operations.put(workspace, path, body, waiting=waiting, version=version))


def to_body(values: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The body of a PUT."""
    outside = frozenset({"name", "tags", "location", "identity", "kind", "auth_mode"})
    properties = camel_keys(values, without=outside)
    properties["authMode"] = AUTH_MODES[values.get("auth_mode") or "key"]
    if access := properties.pop("publicNetworkAccess", None):
        properties["publicNetworkAccess"] = access.capitalize()
    if not properties.get("mirrorTraffic"):
        properties.pop("mirrorTraffic", None)
    body = {"location": location, "tags": values.get("tags") or {}, "properties": properties}
    for name in ("identity", "kind"):
        if values.get(name):
            body[name] = values[name]
    return body


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """An endpoint as az prints it."""
    shown = {**envelope(resource), **snake_keys(resource.get("properties") or {})}
    modes = {wire.lower(): name for name, wire in AUTH_MODES.items()}
    shown["auth_mode"] = modes.get(str(shown.get("auth_mode")).lower(), shown.get("auth_mode"))
    shown["openapi_uri"] = shown.pop("swagger_uri", None)
    if access := shown.get("public_network_access"):
        shown["public_network_access"] = str(access).lower()
    return {key: value for key, value in shown.items() if value is not None}


def _named(values: Mapping[str, Any]) -> Mapping[str, Any]:
    if not values.get("name"):
        raise CommandError(
            "InvalidArgument", "An endpoint needs a name: give --name or the field `name`."
        )
    return values


def _secret(workspace: Workspace, arguments: Arguments, endpoint: Mapping[str, Any]) -> str:
    if endpoint.get("auth_mode") == "aad_token":
        return workspace.tokens.get(ML_SCOPE)
    found = credentials(workspace, arguments)
    return str(found.get("primaryKey") or found.get("accessToken"))


def request_body(arguments: Arguments) -> bytes:
    """What --request-file holds; nothing without one. Raises CommandError if it cannot be read."""
    if not arguments.request_file:
        return b""
    path = Path(arguments.request_file)
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(
            "FileNotReadable", f"--request-file {path} cannot be read: {error.strerror}"
        ) from error
