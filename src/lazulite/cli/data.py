"""`ml data`: registered files, folders and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.asset_verbs import Verbs
from lazulite.cli.documents import Document
from lazulite.cli.models import absolute, is_uri
from lazulite.cli.shapes import TEXT, Shape
from lazulite.cli.uploads import upload
from lazulite.cli.workspace import Workspace

SHAPE: Mapping[str, Shape] = {
    **assets.COMMON,
    "type": frozenset({"uri_folder", "uri_file", "mltable"}),
    "path": TEXT,
    "local_path": TEXT,
    "datastore": TEXT,
}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Register data from a local path or a URI; without a version, as the next one."""
    found = assets.document(
        arguments,
        SHAPE,
        version=arguments.version,
        path=absolute(arguments.path),
        type=arguments.kind,
        datastore=arguments.datastore,
    )
    values = found.values
    if not values.get("name"):
        raise found.error((), "data needs a name: give --name or the field `name`")
    uri, data_type = _located(workspace, found)
    version = values.get("version") or assets.next_version(workspace, "data", values["name"])
    properties = {**assets.described(values), "dataType": data_type, "dataUri": uri}
    with assets.told_of(found, f"data {values['name']!r}", version):
        return view(assets.register(workspace, "data", values["name"], version, properties))


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Data as az prints it."""
    shown = assets.view(resource, "data")
    for name, wire in (("type", "data_type"), ("path", "data_uri")):
        if wire in shown:
            shown[name] = shown.pop(wire)
    return shown


def _located(workspace: Workspace, found: Document) -> tuple[str, str]:
    """Where the data is, and its type: that of the file, else what the path looks like."""
    field = "local_path" if found.values.get("local_path") else "path"
    text = found.values.get(field)
    if not text:
        raise found.error(("path",), "data needs a path: a local file or folder, or a URI")
    given = found.values.get("type")
    if is_uri(text):
        return text, given or "uri_folder"
    local = found.file((field,), text)
    if given in {"uri_folder", "mltable"} and local.is_file():
        raise found.error((field,), f"{local} is a file, but the type is {given}; use uri_file")
    uri = upload(workspace, local, found.values.get("datastore") or "").uri
    return uri, given or ("uri_file" if local.is_file() else "uri_folder")


VERBS = Verbs("data", view)
show, listing, update = VERBS.show, VERBS.listing, VERBS.update
archive, restore, delete = VERBS.archive, VERBS.restore, VERBS.delete
