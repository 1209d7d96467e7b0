"""`ml dataset` of 2021-10: registered data as paths of files and folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.asset_verbs import Verbs
from lazulite.cli.documents import Document, Key
from lazulite.cli.models import absolute, is_uri
from lazulite.cli.shapes import ANYTHING, TEXT, Shape, checked
from lazulite.cli.uploads import upload
from lazulite.cli.workspace import Workspace

COLLECTION = "datasets"
SHAPE: Mapping[str, Shape] = {
    **assets.COMMON,
    "paths": ANYTHING,
    "local_path": TEXT,
    "datastore": TEXT,
}
_PATH: Mapping[str, Shape] = {"file": TEXT, "folder": TEXT}


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Register a dataset from paths or a local path; without a version, as the next one."""
    found = assets.document(
        arguments,
        SHAPE,
        version=arguments.version,
        local_path=absolute(arguments.path),
        datastore=arguments.datastore,
    )
    values = found.values
    if not values.get("name"):
        raise found.error((), "a dataset needs a name: give --name or the field `name`")
    properties = {**assets.described(values), "paths": _paths(workspace, found)}
    version = values.get("version") or assets.next_version(workspace, COLLECTION, values["name"])
    with assets.told_of(found, f"dataset {values['name']!r}", version):
        made = assets.register(workspace, COLLECTION, values["name"], version, properties)
    return view(made)


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A dataset as az prints it."""
    return assets.view(resource, COLLECTION)


def _paths(workspace: Workspace, found: Document) -> list[dict[str, str]]:
    """The paths as URIs; local ones are uploaded."""
    if local := found.values.get("local_path"):
        return [_sent(workspace, found, ("local_path",), local)]
    given = found.values.get("paths")
    if not isinstance(given, list) or not given:
        raise found.error(("paths",), "give local_path, or paths: a list of `file:` or `folder:`")
    return [_path(workspace, found, ("paths", index)) for index in range(len(given))]


def _path(workspace: Workspace, found: Document, key: Key) -> dict[str, str]:
    value = found.values["paths"][key[-1]]
    if not isinstance(value, Mapping) or len(value) != 1:
        raise found.error(key, "a path is either `file: URI` or `folder: URI`")
    ((sort, uri),) = checked(found.part(key), _PATH).values.items()
    return {sort: uri} if is_uri(uri) else _sent(workspace, found, (*key, sort), uri)


def _sent(workspace: Workspace, found: Document, key: Key, text: str) -> dict[str, str]:
    local = found.file(key, text)
    uri = upload(workspace, local, found.values.get("datastore") or "").uri
    return {"file" if local.is_file() else "folder": uri}


VERBS = Verbs(COLLECTION, view)
show, listing, update = VERBS.show, VERBS.listing, VERBS.update
archive, restore, delete = VERBS.archive, VERBS.restore, VERBS.delete
