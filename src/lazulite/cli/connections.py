"""`ml connection`: addresses outside, and how to get in.

Source: spec/rest, WorkspaceConnectionPropertiesV2; the words of YAML are those of az.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document
from lazulite.cli.shapes import TEXT, TEXTS, Shape
from lazulite.cli.wire import envelope, pascal, snake, snake_keys
from lazulite.cli.workspace import Workspace

VERSION = "2024-04-01"
_CREDENTIALS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "none": ("None", {}),
    "aad": ("AAD", {}),
    "pat": ("PAT", {"pat": "pat"}),
    "sas": ("SAS", {"sas_token": "sas"}),
    "api_key": ("ApiKey", {"key": "key"}),
    "account_key": ("AccountKey", {"account_key": "key"}),
    "access_key": (
        "AccessKey",
        {"access_key_id": "accessKeyId", "secret_access_key": "secretAccessKey"},
    ),
    "username_password": ("UsernamePassword", {"username": "username", "password": "password"}),
    "managed_identity": (
        "ManagedIdentity",
        {"client_id": "clientId", "resource_id": "resourceId"},
    ),
    "service_principal": (
        "ServicePrincipal",
        {"client_id": "clientId", "client_secret": "clientSecret", "tenant_id": "tenantId"},
    ),
}
"""By the type in YAML: the type on the wire, and what each field is there."""
_CATEGORIES = {
    "s3": "S3",
    "azure_open_ai": "AzureOpenAI",
    "open_ai": "OpenAI",
    "azure_one_lake": "AzureOneLake",
}
"""Those that are not the words of YAML in PascalCase."""
SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "type": TEXT,
    "target": TEXT,
    "metadata": TEXTS,
    "tags": TEXTS,
    "credentials": {
        "type": frozenset(_CREDENTIALS),
        **{field: TEXT for _, fields in _CREDENTIALS.values() for field in fields},
    },
}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the connection, or replace it."""
    return _put(workspace, assets.document(arguments, SHAPE))


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say. Secrets stay unless new ones are given."""
    current = show(workspace, dataclasses.replace(arguments, populate_secrets=False))
    kept = {name: value for name, value in current.items() if name in SHAPE}
    kept["name"] = arguments.name
    return _put(workspace, assets.document(arguments, SHAPE, kept))


def _put(workspace: Workspace, found: Document) -> dict[str, Any]:
    for name in ("name", "type"):
        if not found.values.get(name):
            raise found.error((), f"a connection needs a `{name}`")
    values = found.values
    kind = str(values["type"]).lower()
    auth, secrets = _secrets(found)
    properties = {
        "category": _CATEGORIES.get(kind, pascal(kind)),
        "target": values.get("target"),
        "authType": auth,
        "credentials": secrets or None,
        "metadata": values.get("metadata") or values.get("tags") or {},
    }
    path = f"connections/{values['name']}"
    return view(workspace.put(path, {"properties": present(properties)}, VERSION))


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One connection; its secrets only with --populate-secrets."""
    path = f"connections/{arguments.name}"
    shown = view(workspace.get(path, VERSION))
    if arguments.populate_secrets:
        told = workspace.arm("POST", f"{path}/listSecrets", version=VERSION).value()
        held = (told.get("properties") or {}).get("credentials") or {}
        fields = _CREDENTIALS.get(shown["credentials"]["type"], ("", {}))[1]
        shown["credentials"] |= {name: held[wire] for name, wire in fields.items() if wire in held}
    return shown


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All connections, or those of one type."""
    wanted = snake(arguments.kind).replace("_", "")
    found = [view(item) for item in workspace.list("connections", VERSION)]
    kept = [item for item in found if not wanted or item["type"].replace("_", "") == wanted]
    return kept[: arguments.max_results]


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Forget the connection. Raises CommandError if it was not there."""
    workspace.get(f"connections/{arguments.name}", VERSION)
    workspace.arm("DELETE", f"connections/{arguments.name}", version=VERSION)


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A connection as az prints it."""
    shown = {**envelope(resource), **snake_keys(resource.get("properties") or {})}
    kinds = {wire: name for name, wire in _CATEGORIES.items()}
    category = str(shown.pop("category", ""))
    shown["type"] = kinds.get(category, snake(category))
    words = {wire: name for name, (wire, _) in _CREDENTIALS.items()}
    auth = str(shown.pop("auth_type", ""))
    shown["credentials"] = {"type": words.get(auth, snake(auth))}
    return present(shown)


def _secrets(found: Document) -> tuple[str, dict[str, Any]]:
    """The type and the fields of the credentials on the wire. Raises CommandError."""
    given = found.values.get("credentials") or {}
    kind = given.get("type") or "none"
    wire, fields = _CREDENTIALS[kind]
    for name in given:
        if name != "type" and name not in fields:
            known = ", ".join(fields) or "no fields"
            rule = f"credentials of type {kind} have {known}"
            raise found.error(("credentials", name), rule)
    return wire, {fields[name]: value for name, value in given.items() if name in fields}
