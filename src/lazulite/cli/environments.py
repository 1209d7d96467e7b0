"""`ml environment`: registered environments, and those that deployments define in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets
from lazulite.cli.arguments import Arguments
from lazulite.cli.documents import Document
from lazulite.cli.models import is_uri, nested
from lazulite.cli.shapes import ANYTHING, TEXT, Shape, checked
from lazulite.cli.uploads import upload
from lazulite.cli.workspace import Workspace

SHAPE: Mapping[str, Shape] = {
    **assets.COMMON,
    "image": TEXT,
    "conda_file": (TEXT, ANYTHING),
    "build": {"path": TEXT, "local_path": TEXT, "dockerfile_path": TEXT},
    "os_type": TEXT,
    "inference_config": ANYTHING,
    "datastore": TEXT,
}
_ANONYMOUS = "CliV2AnonymousEnvironment"
_CONTENT = ("image", "condaFile", "build", "osType", "inferenceConfig")


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Register an environment; without a version: the latest one if nothing changed, else anew."""
    conda_file = str(Path(arguments.conda_file).absolute()) if arguments.conda_file else ""
    found = assets.document(
        arguments,
        SHAPE,
        version=arguments.version,
        image=arguments.image,
        conda_file=conda_file,
    )
    name = found.values.get("name")
    if not name:
        raise found.error((), "an environment needs a name: give --name or the field `name`")
    return view(_put(workspace, found, name))


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """A version of an environment."""
    return view(assets.find(workspace, "environments", arguments))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """All environments, or all versions of one."""
    return [view(item) for item in assets.listed(workspace, "environments", arguments.name)]


def resolve(workspace: Workspace, found: Document) -> str | None:
    """The ARM id of the environment of a deployment; one defined in place is registered."""
    value = found.values.get("environment")
    if value is None:
        return None
    if isinstance(value, str):
        return assets.reference(workspace, "environments", found, ("environment",), value)
    inner = checked(nested(found, "environment"), SHAPE)
    return str(_put(workspace, inner, inner.values.get("name"))["id"])


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """An environment as az prints it."""
    return assets.view(resource, "environments")


def _put(workspace: Workspace, found: Document, name: str | None) -> dict[str, Any]:
    content = _content(workspace, found)
    properties = {**assets.described(found.values), **content, "isAnonymous": name is None}
    if name is None:
        return assets.register(
            workspace, "environments", _ANONYMOUS, assets.digest(content), properties
        )
    version = found.values.get("version") or _version(workspace, name, content)
    return assets.register(workspace, "environments", name, version, properties)


def _content(workspace: Workspace, found: Document) -> dict[str, Any]:
    values = found.values
    content = {
        "image": values.get("image"),
        "condaFile": _conda(found),
        "build": _build(workspace, found),
        "osType": values.get("os_type"),
        "inferenceConfig": values.get("inference_config"),
    }
    if not any(content[key] for key in ("image", "condaFile", "build")):
        raise found.error((), "an environment needs an image, a conda_file or a build context")
    return {key: value for key, value in content.items() if value is not None}


def _conda(found: Document) -> str | None:
    """The conda file's own text, so that the server's errors name the lines of the user's file."""
    value = found.values.get("conda_file")
    if value is None:
        return None
    if isinstance(value, Mapping):
        return json.dumps(value)
    return found.file(("conda_file",), str(value)).read_text(encoding="utf-8")


def _build(workspace: Workspace, found: Document) -> dict[str, Any] | None:
    build = found.values.get("build")
    if build is None:
        return None
    path = build.get("path") or build.get("local_path")
    if not path:
        raise found.error(("build",), "a build context needs a path")
    if not is_uri(path):
        path = upload(workspace, found.file(("build", "path"), path)).uri
    return {"contextUri": path, "dockerfilePath": build.get("dockerfile_path") or "Dockerfile"}


def _version(workspace: Workspace, name: str, content: Mapping[str, Any]) -> str:
    container = workspace.find(f"environments/{name}") or {}
    properties = container.get("properties") or {}
    version = properties.get("latestVersion")
    if version:
        known = workspace.get(f"environments/{name}/versions/{version}")["properties"]
        if all(known.get(key) == content.get(key) for key in _CONTENT if key != "osType"):
            return str(version)
    return str(properties.get("nextVersion") or "1")
