"""What models, environments, data and code have in common: names, versions, references to them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import edited, pairs
from lazulite.cli.documents import Document, Key, read
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.shapes import ANYTHING, TEXT, TEXTS, Shape, checked
from lazulite.cli.wire import envelope, name_of, snake_keys
from lazulite.cli.workspace import API_VERSION, DATA_API_VERSION, Workspace

COMMON: Mapping[str, Shape] = {
    "name": TEXT,
    "version": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
    "latest_version": TEXT,
}
_CHANGEABLE: Mapping[str, Shape] = {
    "description": TEXT,
    "tags": TEXTS,
    "properties": ANYTHING,
    "stage": TEXT,
}
"""Of a version."""
_VERSIONS = {"data": DATA_API_VERSION, "models": "2023-10-01", "components": "2023-10-01"}
"""Models have stages since 2023-04. Source: spec/rest/field_history.json."""
_REFERENCE = re.compile(r"(?P<name>[^:@/\s]+)(?::(?P<version>[^:@/\s]+)|@(?P<label>[^:@/\s]+))")


def api_version(collection: str) -> str:
    """The version of the API that knows the collection."""
    return _VERSIONS.get(collection, API_VERSION)


def document(
    arguments: Arguments,
    shape: Mapping[str, Shape],
    current: Mapping[str, Any] | None = None,
    **options: Any,
) -> Document:
    """The file, with the options put over it and then --set, checked against the shape.

    current: what is there, which all of it changes.
    """
    found = read_file(arguments)
    given = {
        "name": arguments.name,
        "description": arguments.description,
        "tags": pairs(arguments.tags, "--tags"),
        **options,
    }
    chosen = {name: value for name, value in given.items() if value not in ("", None, {})}
    values = {**(current or {}), **found.values, **chosen}
    return checked(found.changed(edited(values, arguments)), shape)


def read_file(arguments: Arguments) -> Document:
    """The file of --file; an empty document without one."""
    return read(Path(arguments.file)) if arguments.file else Document({})


def name_in(arguments: Arguments, what: str) -> str:
    """The name that --name, else the file, says. what: "an endpoint". Raises CommandError."""
    if arguments.name:
        return arguments.name
    found = read_file(arguments)
    if name := found.values.get("name"):
        return str(name)
    raise found.error((), f"{what} needs a name: give --name or the field `name`")


def reference(workspace: Workspace, collection: str, found: Document, key: Key, text: str) -> str:
    """The ARM id that azureml:<name>:<version>, azureml:<name>@<label> or an ARM id stands for."""
    plain = text.removeprefix("azureml:").strip()
    if plain.lower().startswith("/subscriptions/"):
        return plain
    match = _REFERENCE.fullmatch(plain)
    if match is None or not text.startswith("azureml:"):
        raise found.error(
            key,
            f"{text!r} names no {collection} asset; write azureml:<name>:<version>,"
            " azureml:<name>@latest, or a mapping with a path.",
        )
    version = match["version"] or latest(workspace, collection, match["name"], match["label"])
    path = f"{collection}/{match['name']}/versions/{version}"
    if workspace.find(path, api_version(collection)) is None:
        raise found.error(key, f"{text!r} is not registered in this workspace")
    return workspace.id(path)


def latest(workspace: Workspace, collection: str, name: str, label: str = "latest") -> str:
    """The version that a label stands for. Raises CommandError if there is none."""
    container = workspace.find(f"{collection}/{name}", api_version(collection)) or {}
    version = (container.get("properties") or {}).get("latestVersion")
    if label != "latest" or not version:
        raise CommandError(
            "AssetNotFound",
            f"There is no version of {collection} {name!r} labelled {label!r}; the one label is"
            " latest.",
            exit_code=NOT_FOUND,
        )
    return str(version)


def next_version(workspace: Workspace, collection: str, name: str) -> str:
    """The version that the next registration of the name should have."""
    container = workspace.find(f"{collection}/{name}", api_version(collection)) or {}
    return str((container.get("properties") or {}).get("nextVersion") or "1")


def register(
    workspace: Workspace, collection: str, name: str, version: str, properties: Mapping[str, Any]
) -> dict[str, Any]:
    """Put a version. The same again is harmless; other content is refused by the server."""
    path = f"{collection}/{name}/versions/{version}"
    body = {"properties": {key: value for key, value in properties.items() if value is not None}}
    return workspace.put(path, body, api_version(collection))


@contextmanager
def told_of(found: Document, what: str, version: str) -> Iterator[None]:
    """Say where in the file the version is that exists with other content already."""
    try:
        yield
    except CommandError as error:
        if error.code != "ImmutablePropertyChanged":
            raise
        raise found.error(
            ("version",),
            f"version {version} of {what} is registered with other content, and versions do not"
            " change: give it a new one",
        ) from error


def described(values: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that every asset has."""
    return {name: values.get(name) for name in ("description", "tags", "properties")}


def digest(*parts: Any) -> str:
    """A name for content without a name: the same content has the same one."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def view(resource: Mapping[str, Any], collection: str) -> dict[str, Any]:
    """A version as az prints it; name and version come from the id."""
    arm_id = str(resource.get("id") or "")
    shown = {**envelope(resource), **snake_keys(resource.get("properties") or {})}
    shown["name"] = name_of(arm_id, collection) or resource.get("name")
    shown["version"] = name_of(arm_id, "versions")
    return {key: value for key, value in shown.items() if value is not None}


def find(workspace: Workspace, collection: str, arguments: Arguments) -> dict[str, Any]:
    """The version that --name with --version or --label ask for; the latest without either."""
    version = arguments.version or latest(
        workspace, collection, arguments.name, arguments.label or "latest"
    )
    path = f"{collection}/{arguments.name}/versions/{version}"
    return workspace.get(path, api_version(collection))


def listed(
    workspace: Workspace, collection: str, name: str, **query: str
) -> Iterator[dict[str, Any]]:
    """All names; with a name, all its versions."""
    path = f"{collection}/{name}/versions" if name else collection
    yield from workspace.list(path, api_version(collection), **query)


def shown_ones(arguments: Arguments) -> dict[str, str]:
    """The query of a list for --archived-only and --include-archived."""
    if arguments.archived_only:
        return {"listViewType": "ArchivedOnly"}
    return {"listViewType": "All"} if arguments.include_archived else {}


def update(workspace: Workspace, collection: str, arguments: Arguments) -> dict[str, Any]:
    """Change what may change of the version that --name, --version and --label ask for.

    Of a file only that counts: what a version is made of is not looked at.
    """
    found = read_file(arguments)
    name = name_in(arguments, "an asset")
    version = arguments.version or ("" if arguments.label else found.values.get("version"))
    arguments = dataclasses.replace(arguments, name=name, version=str(version or ""))
    current = find(workspace, collection, arguments)
    known = current["properties"]
    kept = {part: known.get(part) for part in _CHANGEABLE}
    before = {
        **kept,
        "tags": kept["tags"] or {},
        "properties": kept["properties"] or {},
        **{part: found.values[part] for part in _CHANGEABLE if part in found.values},
    }
    for part in ("description", "stage"):
        if given := getattr(arguments, part):
            before[part] = given
    if arguments.tags:
        before["tags"] = pairs(arguments.tags, "--tags")
    changed = edited(before, arguments)
    if fixed := set(changed) - set(before):
        raise CommandError(
            "InvalidArgument",
            f"--set {min(fixed)}: a version of an asset does not change; only"
            f" {', '.join(before)} do. Create a new version.",
        )
    changed = checked(found.changed(changed), _CHANGEABLE).values
    said = {name: value for name, value in changed.items() if value is not None}
    path = f"{collection}/{arguments.name}/versions/{current['name']}"
    return workspace.put(path, {"properties": {**known, **said}}, api_version(collection))


def set_archived(
    workspace: Workspace, collection: str, arguments: Arguments, *, archived: bool
) -> None:
    """Archive or restore a version, or all of a name without --version and --label."""
    path = f"{collection}/{arguments.name}"
    if arguments.version or arguments.label:
        path += f"/versions/{find(workspace, collection, arguments)['name']}"
    current = workspace.get(path, api_version(collection))
    properties = {**current["properties"], "isArchived": archived}
    workspace.put(path, {"properties": properties}, api_version(collection))
