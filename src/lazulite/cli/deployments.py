"""What deployments of online and batch endpoints have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from lazulite.cli import assets, codes, environments, models, operations
from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import edited, pairs
from lazulite.cli.documents import Document
from lazulite.cli.shapes import TEXT, TEXTS, Shape, checked
from lazulite.cli.wire import envelope, name_of
from lazulite.cli.workspace import Workspace

SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "endpoint_name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
    "location": TEXT,
    "model": (TEXT, models.SHAPE),
    "environment": (TEXT, environments.SHAPE),
    "code_configuration": codes.SHAPE,
    "environment_variables": TEXTS,
}


@dataclasses.dataclass(frozen=True)
class Verbs:
    """What is said alike of both kinds of deployment: the bodies of four commands each."""

    endpoints: str
    """The collection of their endpoints in the workspace."""
    shape: Mapping[str, Shape]
    view: Callable[[Mapping[str, Any]], dict[str, Any]]
    put: Callable[..., dict[str, Any]]
    """put(workspace, document, waiting=...)"""

    def path(self, endpoint: str, name: str) -> str:
        """A deployment's path in the workspace."""
        return f"{self.endpoints}/{endpoint}/deployments/{name}"

    def update(self, workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
        """Change what the file and the options say; the rest stays as it is."""
        endpoint, name = names(arguments)
        current = self.view(workspace.get(self.path(endpoint, name)))
        found = document(arguments, self.shape, current)
        return self.put(workspace, found, waiting=not arguments.no_wait)

    def show(self, workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
        """One deployment."""
        return self.view(workspace.get(self.path(arguments.endpoint_name, arguments.name)))

    def listing(self, workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
        """All deployments of the endpoint."""
        collection = f"{self.endpoints}/{arguments.endpoint_name}/deployments"
        return [self.view(item) for item in workspace.list(collection)]

    def delete(self, workspace: Workspace, arguments: Arguments) -> None:
        """Delete the deployment."""
        where = self.path(arguments.endpoint_name, arguments.name)
        operations.delete(workspace, where, waiting=not arguments.no_wait)


def document(
    arguments: Arguments, shape: Mapping[str, Shape], current: Mapping[str, Any] | None = None
) -> Document:
    """The file over what is there now, then the options, then --set; checked.

    Raises CommandError if the deployment or its endpoint has no name.
    """
    found = assets.read_file(arguments)
    given = {
        "name": arguments.name,
        "endpoint_name": arguments.endpoint_name,
        "description": arguments.description,
        "tags": pairs(arguments.tags, "--tags"),
    }
    kept = {name: value for name, value in (current or {}).items() if name in shape}
    values = {**kept, **found.values, **{name: value for name, value in given.items() if value}}
    result = checked(found.changed(edited(values, arguments)), shape)
    for name, option in (("name", "--name"), ("endpoint_name", "--endpoint-name")):
        if not result.values.get(name):
            raise found.error((), f"a deployment needs {option}, or the field `{name}`")
    return result


def names(arguments: Arguments) -> tuple[str, str]:
    """The endpoint and the deployment that the options, else the file, name."""
    found = assets.read_file(arguments)
    endpoint = arguments.endpoint_name or found.values.get("endpoint_name")
    name = arguments.name or found.values.get("name")
    if not endpoint or not name:
        raise found.error((), "give --name and --endpoint-name, or a file with both")
    return str(endpoint), str(name)


def registered(workspace: Workspace, found: Document) -> dict[str, Any]:
    """The values with model, code and environment in place registered: ARM ids only."""
    resolved = {
        "model": models.resolve(workspace, found),
        "environment": environments.resolve(workspace, found),
        "code_configuration": codes.resolve(workspace, found),
    }
    return {**found.values, **resolved}


def code_body(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The codeConfiguration of a body."""
    code = values.get("code_configuration")
    return {"codeId": code["code"], "scoringScript": code["scoring_script"]} if code else None


def common_view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that deployments of both sorts share, as az prints them."""
    properties = resource.get("properties") or {}
    code = properties.get("codeConfiguration")
    return {
        **envelope(resource),
        "endpoint_name": name_of(str(resource.get("id") or ""), "(?:online|batch)Endpoints"),
        "description": properties.get("description"),
        "environment": properties.get("environmentId"),
        "environment_variables": properties.get("environmentVariables"),
        "code_configuration": code
        and {"code": code.get("codeId"), "scoring_script": code.get("scoringScript")},
        "properties": properties.get("properties"),
        "provisioning_state": properties.get("provisioningState"),
    }


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without what is None."""
    return {name: value for name, value in values.items() if value is not None}
