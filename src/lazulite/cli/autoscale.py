"""`monitor autoscale`: settings, as az reads and prints them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from lazulite.cli.autoscale_commands import AutoscaleArguments
from lazulite.cli.changes import pairs
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.workspace import Workspace

API_VERSION = "2022-10-01"
DEFAULT = "default"
_TYPE = "providers/Microsoft.Insights/autoscaleSettings"
Setting = dict[str, Any]


def create(workspace: Workspace, arguments: AutoscaleArguments) -> Setting:
    """A setting with the profile `default`, and no rules yet."""
    name = arguments.name or arguments.resource.rstrip("/").rpartition("/")[2]
    properties = {
        "enabled": not arguments.disabled,
        "targetResourceUri": arguments.resource,
        "profiles": [{"name": DEFAULT, "capacity": bounds(arguments), "rules": []}],
    }
    body = {
        "location": workspace.location(),
        "tags": pairs(arguments.tags, "--tags"),
        "properties": properties,
    }
    made = _call(workspace, "PUT", name, body)
    workspace.report.note(
        "Follow up with `monitor autoscale rule create` to add scaling conditions."
    )
    return flat(made)


def show(workspace: Workspace, arguments: AutoscaleArguments) -> Setting:
    """One setting."""
    return flat(find(workspace, arguments.name))


def listing(workspace: Workspace, arguments: AutoscaleArguments) -> list[Setting]:
    """All settings of the resource group."""
    return [flat(item) for item in _call(workspace, "GET", "")["value"]]


def update(workspace: Workspace, arguments: AutoscaleArguments) -> Setting:
    """Change what is given."""
    setting = find(workspace, arguments.name)
    chosen = profile_of(setting, DEFAULT)
    given = {
        "default": arguments.count,
        "minimum": arguments.min_count,
        "maximum": arguments.max_count,
    }
    chosen["capacity"] |= {name: str(value) for name, value in given.items() if value is not None}
    if arguments.enabled:
        setting["properties"]["enabled"] = arguments.enabled.lower() == "true"
    if arguments.tags:
        setting["tags"] = pairs(arguments.tags, "--tags")
    return flat(save(workspace, setting))


def delete(workspace: Workspace, arguments: AutoscaleArguments) -> None:
    """Delete a setting; the deployment stays as it is."""
    find(workspace, arguments.name)
    workspace.call("DELETE", _url(workspace, arguments.name))


def find(workspace: Workspace, name: str) -> Setting:
    """The setting as REST has it. Raises CommandError if there is none."""
    return _call(workspace, "GET", name)


def save(workspace: Workspace, setting: Setting) -> Setting:
    """Write it back."""
    properties = {key: item for key, item in setting["properties"].items() if key != LAST}
    kept = {key: setting[key] for key in ("location", "tags") if setting.get(key) is not None}
    return _call(workspace, "PUT", setting["name"], {**kept, "properties": properties})


def profile_of(setting: Setting, name: str) -> dict[str, Any]:
    """A profile of a setting, to be changed in place. Raises CommandError if there is none."""
    profiles: list[dict[str, Any]] = setting["properties"]["profiles"]
    for profile in profiles:
        if profile["name"].lower() == name.lower():
            return profile
    names = ", ".join(profile["name"] for profile in profiles)
    message = f"There is no profile {name!r} in {setting['name']!r}: it has {names}."
    raise CommandError("ResourceNotFound", message, exit_code=NOT_FOUND)


def bounds(arguments: AutoscaleArguments) -> dict[str, str]:
    """A capacity: those left out are the count."""
    count = arguments.count
    least = count if arguments.min_count is None else arguments.min_count
    most = count if arguments.max_count is None else arguments.max_count
    return {"minimum": str(least), "maximum": str(most), "default": str(count)}


def flat(setting: Setting) -> Setting:
    """The properties beside id, name and type, as az prints them."""
    head = {name: setting.get(name) for name in ("id", "name", "type", "location", "tags")}
    return {**setting["properties"], **head}


LAST = "lastEvaluation"


def _url(workspace: Workspace, name: str) -> str:
    group = workspace.connection.workspace_id.partition("/providers/")[0]
    path = quote(f"{group}/{_TYPE}" + (f"/{name}" if name else ""))
    return f"{workspace.connection.url}{path}?api-version={API_VERSION}"


def _call(
    workspace: Workspace, method: str, name: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = workspace.call(method, _url(workspace, name), body).value()
    return found
