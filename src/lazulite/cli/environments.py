"""`ml environment`: registered environments, and those that deployments define in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lazulite.cli import assets, environment_files
from lazulite.cli.arguments import Arguments
from lazulite.cli.asset_verbs import Verbs
from lazulite.cli.documents import Document
from lazulite.cli.shapes import checked
from lazulite.cli.workspace import Workspace

SHAPE = environment_files.SHAPE
COLLECTION = "environments"
_ANONYMOUS = "CliV2AnonymousEnvironment"
CURATED = re.compile(r"azureml:(?://registries/|AzureML-).*", re.IGNORECASE)
"""Curated environments: the server knows them, whatever the version."""
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
        build=_build_option(arguments),
    )
    name = found.values.get("name")
    if not name:
        raise found.error((), "an environment needs a name: give --name or the field `name`")
    return view(_put(workspace, found, name))


def resolve(workspace: Workspace, found: Document) -> str | None:
    """The ARM id of the environment of a deployment; one defined in place is registered."""
    value = found.values.get("environment")
    if value is None:
        return None
    if isinstance(value, str) and CURATED.fullmatch(value):
        return value
    if isinstance(value, str):
        return assets.reference(workspace, COLLECTION, found, ("environment",), value)
    inner = checked(found.part(("environment",)), SHAPE)
    return str(_put(workspace, inner, inner.values.get("name"))["id"])


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """An environment as az prints it."""
    return assets.view(resource, COLLECTION)


def _put(workspace: Workspace, found: Document, name: str | None) -> dict[str, Any]:
    content = environment_files.content(found, environment_files.uploaded_to(workspace))
    properties = {**assets.described(found.values), **content, "isAnonymous": name is None}
    if name is None:
        return assets.register(
            workspace, COLLECTION, _ANONYMOUS, assets.digest(content), properties
        )
    version = found.values.get("version") or _version(workspace, name, content)
    with assets.told_of(found, f"environment {name!r}", version):
        return assets.register(workspace, COLLECTION, name, version, properties)


def _build_option(arguments: Arguments) -> dict[str, str] | None:
    if not arguments.build_context:
        return None
    path = str(Path(arguments.build_context).absolute())
    return {"path": path, "dockerfile_path": arguments.dockerfile_path or "Dockerfile"}


def _version(workspace: Workspace, name: str, content: Mapping[str, Any]) -> str:
    container = workspace.find(f"environments/{name}") or {}
    properties = container.get("properties") or {}
    version = properties.get("latestVersion")
    if version:
        known = workspace.get(f"environments/{name}/versions/{version}")["properties"]
        if all(known.get(key) == content.get(key) for key in _CONTENT if key != "osType"):
            return str(version)
    return str(properties.get("nextVersion") or "1")


VERBS = Verbs(COLLECTION, view)
show, listing, update = VERBS.show, VERBS.listing, VERBS.update
archive, restore, delete = VERBS.archive, VERBS.restore, VERBS.delete
