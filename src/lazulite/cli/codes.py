"""The code of deployments and jobs: a folder, uploaded and registered under its hash."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.documents import Document, Key, is_local
from lazulite.cli.models import is_uri
from lazulite.cli.shapes import TEXT, Shape
from lazulite.cli.uploads import upload
from lazulite.cli.workspace import Workspace

SHAPE: Mapping[str, Shape] = {
    "code": (TEXT, {"path": TEXT, "local_path": TEXT}),
    "scoring_script": TEXT,
}


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """A version of code, and where it is."""
    shown = assets.view(assets.find(workspace, "codes", arguments), "codes")
    shown["path"] = shown.pop("code_uri", None)
    return shown


def resolve(workspace: Workspace, found: Document) -> dict[str, Any] | None:
    """The code configuration of a deployment with its code registered; None without one."""
    configuration = found.values.get("code_configuration")
    if not configuration:
        return None
    script = script_of(found)
    return {
        "scoring_script": script,
        "code": _resolve(workspace, found, configuration.get("code"), script),
    }


def script_of(found: Document) -> str:
    """The scoring script of a code_configuration. Raises CommandError if it names none."""
    script = found.values["code_configuration"].get("scoring_script")
    if not script:
        raise found.error(
            ("code_configuration",), "scoring_script is needed: the file with init() and run()"
        )
    return str(script)


def registered(workspace: Workspace, found: Document, key: Key, code: str) -> str:
    """The ARM id of the code at a local path or URI, or of a code asset that is there already."""
    if is_uri(code):
        return _register(workspace, code, assets.digest(code))
    if is_reference(code):
        return assets.reference(workspace, "codes", found, key, code)
    sent = upload(workspace, found.file(key, code))
    return _register(workspace, sent.uri, sent.digest)


def is_reference(text: str) -> bool:
    """Whether the text names something on the server, not a local file."""
    return is_uri(text) or (text.startswith(("azureml:", "/subscriptions/")) and not is_local(text))


def written(found: Document, code: Any) -> tuple[Key, str]:
    """The field that says where a deployment's code is, and what it says."""
    key: Key = ("code_configuration", "code")
    if isinstance(code, Mapping):
        field = "local_path" if code.get("local_path") else "path"
        key, code = (*key, field), code.get(field)
    if not code:
        raise found.error(key, "the folder with the scoring script is needed")
    return key, str(code)


def local_folder(found: Document, key: Key, code: str, script: str) -> Path:
    """Code on this machine. Raises CommandError if it, or the script in it, is not there."""
    folder = found.file(key, code)
    if folder.is_dir() and not (folder / script).is_file():
        raise found.error(
            ("code_configuration", "scoring_script"), f"there is no {script} in {folder}"
        )
    return folder


def _resolve(workspace: Workspace, found: Document, code: Any, script: str) -> str:
    key, text = written(found, code)
    if not is_reference(text):
        local_folder(found, key, text, script)
    return registered(workspace, found, key, text)


def _register(workspace: Workspace, uri: str, name: str) -> str:
    properties = {"codeUri": uri, "isAnonymous": True}
    return str(assets.register(workspace, "codes", name, "1", properties)["id"])
