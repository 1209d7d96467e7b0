"""`ml datastore`: where files are kept, with the fields of az's YAML schemas."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import edited, pairs
from lazulite.cli.documents import Document
from lazulite.cli.shapes import ANYTHING, TEXT, TEXTS, Shape, checked
from lazulite.cli.wire import camel_keys, envelope, snake, snake_keys
from lazulite.cli.workspace import Workspace

COMMON: Mapping[str, Shape] = {
    "name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
    "credentials": dict.fromkeys(
        (
            *("account_key", "sas_token", "tenant_id", "client_id", "client_secret"),
            *("certificate", "thumbprint", "authority_url", "resource_url"),
        ),
        TEXT,
    ),
}
_IN_ACCOUNT = dict.fromkeys(("account_name", "endpoint", "protocol"), TEXT)
TYPES: Mapping[str, tuple[str, Mapping[str, Shape]]] = {
    "azure_blob": ("AzureBlob", {**_IN_ACCOUNT, "container_name": TEXT}),
    "azure_file": ("AzureFile", {**_IN_ACCOUNT, "file_share_name": TEXT}),
    "azure_data_lake_gen1": ("AzureDataLakeGen1", {"store_name": TEXT}),
    "azure_data_lake_gen2": ("AzureDataLakeGen2", {**_IN_ACCOUNT, "filesystem": TEXT}),
    "one_lake": (
        "OneLake",
        {"one_lake_workspace_name": TEXT, "endpoint": TEXT, "artifact": ANYTHING},
    ),
    "local_folder": ("LocalFolder", {"folder": TEXT}),
}
"""By the type in YAML: the type on the wire, and the fields that only this type has."""
SHAPE: Mapping[str, Shape] = {
    **COMMON,
    "type": frozenset(TYPES),
    **{name: shape for _, own in TYPES.values() for name, shape in own.items()},
}
"""What any type may have."""

_SECRETS = {
    "account_key": ("AccountKey", "key"),
    "sas_token": ("Sas", "sasToken"),
    "client_secret": ("ServicePrincipal", "clientSecret"),
    "certificate": ("Certificate", "certificate"),
}
"""By the secret in YAML: the type of the credentials, and the secret's name on the wire."""


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the datastore, or replace it. Its secret stands in the file or in --set."""
    found = assets.read_file(arguments)
    given = {
        "name": arguments.name,
        "description": arguments.description,
        "tags": pairs(arguments.tags, "--tags"),
    }
    chosen = {name: value for name, value in given.items() if value not in ("", {})}
    found = found.changed(edited({**found.values, **chosen}, arguments))
    words = {"type": frozenset(TYPES)}
    kind = checked(found.changed({"type": found.values.get("type")}), words).values["type"]
    if kind is None:
        raise found.error(("type",), f"a datastore needs a type: {', '.join(TYPES)}")
    on_wire, own = TYPES[kind]
    found = checked(found, {**COMMON, **words, **own})
    if not found.values.get("name"):
        raise found.error((), "a datastore needs a name: give --name or the field `name`")
    properties = {
        "datastoreType": on_wire,
        **assets.described(found.values),
        **camel_keys({name: found.values.get(name) for name in own}),
        "credentials": _credentials(found),
    }
    body = {"properties": {name: value for name, value in properties.items() if value is not None}}
    return view(workspace.put(f"datastores/{found.values['name']}", body))


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say. A secret stays unless a new one is given."""
    path = f"datastores/{arguments.name}"
    current = workspace.get(path)["properties"]
    shown = {key: item for key, item in view({"properties": current}).items() if key in SHAPE}
    found = assets.document(arguments, SHAPE, {**shown, "name": arguments.name})
    on_wire, own = TYPES[found.values["type"]]
    if on_wire != current["datastoreType"]:
        raise found.error(("type",), f"{arguments.name!r} is a {shown['type']}, and stays one")
    said = {
        **assets.described(found.values),
        **camel_keys({name: found.values.get(name) for name in own}),
    }
    if found.values.get("credentials"):
        said["credentials"] = _credentials(found)
    new = {name: value for name, value in said.items() if value is not None}
    return view(workspace.put(path, {"properties": {**current, **new}}))


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Forget the datastore; the files in it stay. Raises CommandError if it was not there."""
    workspace.get(f"datastores/{arguments.name}")
    workspace.arm("DELETE", f"datastores/{arguments.name}")


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One datastore, without its secrets."""
    return view(workspace.get(f"datastores/{arguments.name}"))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All datastores."""
    found = itertools.islice(workspace.list("datastores"), arguments.max_results)
    return [view(item) for item in found]


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A datastore as az prints it."""
    shown = {**envelope(resource), **snake_keys(resource.get("properties") or {})}
    shown.pop("credentials", None)
    shown["type"] = snake(str(shown.pop("datastore_type", "")))
    return {key: value for key, value in shown.items() if value is not None}


def _credentials(found: Document) -> dict[str, Any]:
    """On the wire. Raises CommandError for more than one secret."""
    said = {name: value for name, value in (found.values.get("credentials") or {}).items() if value}
    secrets = [name for name in _SECRETS if name in said]
    if len(secrets) > 1:
        raise found.error(
            ("credentials",), f"{' and '.join(secrets)} are given: a datastore has one secret"
        )
    if not secrets:
        return {"credentialsType": "None"}
    kind, name = _SECRETS[secrets[0]]
    secret = {"secretsType": kind, name: said.pop(secrets[0])}
    return {"credentialsType": kind, **camel_keys(said), "secrets": secret}
