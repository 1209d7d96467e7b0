"""What a batch scoring job reads: the options of three generations of `az ml`, as inputs of REST.

Source: spec/BATCH.md 1.7.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.cli.models import is_uri
from lazulite.cli.shapes import TEXT, Shape, checked
from lazulite.cli.uploads import upload
from lazulite.cli.workspace import DATA_API_VERSION, Workspace

_TYPES = {"uri_folder": "UriFolder", "uri_file": "UriFile", "mltable": "MLTable"}
_DATASTORE_ID = re.compile(r"(?:azureml:)?/(?=subscriptions/.+/datastores/)", re.IGNORECASE)
_LITERALS = frozenset({"string", "number", "integer", "boolean"})
_INPUT: Mapping[str, Shape] = {
    "type": frozenset({*_TYPES, *_LITERALS}),
    "path": TEXT,
    "default": TEXT,
    "mode": TEXT,
    "description": TEXT,
}


@dataclasses.dataclass(frozen=True)
class Source:
    """What to score: a URI or the ARM id of a data version, and whether that is a folder."""

    uri: str
    input_type: str
    """uri_folder, uri_file or mltable."""

    def body(self) -> dict[str, Any]:
        """The input as an invocation says it."""
        return {"jobInputType": _TYPES[self.input_type], "uri": self.uri}


def input_data(workspace: Workspace, arguments: Arguments, found: Document) -> dict[str, Any]:
    """The inputs by name: of `inputs` in the values, or the one that options name.

    Empty for a rerun, which has those of the earlier job. Raises CommandError unless it is said
    exactly once what to score; the server says how many inputs there may be.
    """
    options, named = _options(arguments), found.values.get("inputs") or {}
    said = len(options) + bool(named) + bool(arguments.rerun_failed)
    if said != 1:
        raise CommandError(
            "InvalidArgument",
            "Say once what to score: --input with a local path, a URI or azureml:<data>:<version>.",
        )
    if options:
        source = find_source(workspace, arguments)
        return {_TYPES[source.input_type]: source.body()}
    return {name: _named(workspace, found, str(name)) for name in named}


def find_source(workspace: Workspace, arguments: Arguments) -> Source:
    """What the options ask to score; local files are uploaded, data assets looked up."""
    ((option, text),) = _options(arguments)
    kind, text = prefixed(text)
    wanted = arguments.input_type.lower() or kind
    if wanted and wanted not in _TYPES:
        raise CommandError(
            "InvalidArgument", f"--input-type {wanted!r} is not one of {', '.join(_TYPES)}."
        )
    if option == "--input-path" and arguments.input_datastore:
        datastore = arguments.input_datastore.removeprefix("azureml:")
        text = f"azureml://datastores/{datastore}/paths/{text.lstrip('/')}"
    if option == "--input-local-path":
        return _registered(workspace, _local(text))
    return _source(workspace, text, wanted)


def prefixed(text: str) -> tuple[str, str]:
    """("uri_folder", uri) of folder:<uri>, ("uri_file", uri) of file:<uri>, else ("", text).

    The id of a datastore with a path is a URI, too.
    """
    for prefix, kind in (("folder:", "uri_folder"), ("file:", "uri_file")):
        if text.startswith(prefix) and not text.startswith("file://"):
            return kind, _DATASTORE_ID.sub("azureml://", text.removeprefix(prefix))
    return "", _DATASTORE_ID.sub("azureml://", text)


def guess(uri: str) -> str:
    """uri_file for a URI whose last part has a suffix, else uri_folder."""
    last = uri.split("?")[0].rsplit("/", 1)[-1]
    return "uri_file" if "." in last else "uri_folder"


def _source(workspace: Workspace, text: str, wanted: str) -> Source:
    if is_uri(text):
        return Source(text, wanted or guess(text))
    if text.startswith(("azureml:", "/subscriptions/")):
        arm_id = assets.reference(workspace, "data", Document({}), (), text)
        path = arm_id[len(workspace.connection.workspace_id) + 1 :]
        data = workspace.get(path, DATA_API_VERSION)["properties"]
        return Source(arm_id, wanted or str(data.get("dataType") or "uri_folder"))
    local = _local(text)
    return Source(upload(workspace, local).uri, "uri_file" if local.is_file() else "uri_folder")


def _local(text: str) -> Path:
    """The file or folder of this machine. Raises CommandError if it is not there."""
    local = Path(text).expanduser()
    if not local.exists():
        raise CommandError(
            "InvalidArgument",
            f"There is nothing to score at {text!r}: give an existing local path, a URI"
            " (azureml://datastores/<name>/paths/<path>, https://...) or azureml:<data>:<version>.",
        )
    return local


def _options(arguments: Arguments) -> list[tuple[str, str]]:
    """The options that say what to score."""
    given = (
        ("--input", arguments.input_uri),
        ("--input-path", arguments.input_path),
        ("--input-local-path", arguments.input_local_path),
        ("--input-dataset", arguments.input_dataset),
    )
    return [(option, text) for option, text in given if text]


def _named(workspace: Workspace, found: Document, name: str) -> dict[str, Any]:
    """One of `inputs`: a mapping with type and path, or a path alone."""
    key, value = ("inputs", name), found.values["inputs"][name]
    item = {"path": value} if not isinstance(value, Mapping) else value
    item = checked(Document(dict(item), found.path, within=key), _INPUT).values
    if item.get("type") in _LITERALS:
        return {"jobInputType": "Literal", "value": item.get("default") or item.get("path")}
    if not item.get("path"):
        raise found.error(key, "an input needs a path: a URI, azureml:<data>:<version>, or local")
    kind, text = prefixed(str(item["path"]))
    if not is_uri(text) and not text.startswith(("azureml:", "/subscriptions/")):
        text = str(found.file((*key, "path"), text))
    return _source(workspace, text, item.get("type") or kind).body()


def _registered(workspace: Workspace, local: Path) -> Source:
    """Local data, uploaded and registered under the hash of their content."""
    sent, kind = upload(workspace, local), "uri_file" if local.is_file() else "uri_folder"
    properties = {"dataType": kind, "dataUri": sent.uri, "isAnonymous": True}
    name = assets.digest(sent.digest, local.name, kind)
    made = assets.register(workspace, "data", name, "1", properties)
    return Source(str(made["id"]), kind)
