"""Between the words of YAML (snake_case, seconds) and those of REST (camelCase, ISO 8601)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lazulite.core.durations import format_duration, parse_duration

_NAMES_OF_USERS = frozenset(
    {"tags", "properties", "environmentVariables", "traffic", "mirrorTraffic", "flavors"}
)


def snake(name: str) -> str:
    """The word provisioningState as provisioning_state."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def camel(name: str) -> str:
    """mini_batch_size is miniBatchSize."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def pascal(name: str) -> str:
    """append_row is AppendRow."""
    return "".join(part.capitalize() for part in name.split("_"))


def snake_keys(value: Any) -> Any:
    """All keys in snake_case, but those that users chose, such as the names of tags."""
    if isinstance(value, Mapping):
        return {
            snake(key): item if key in _NAMES_OF_USERS else snake_keys(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [snake_keys(item) for item in value]
    return value


def camel_keys(values: Mapping[str, Any], *, without: frozenset[str] = frozenset()) -> Any:
    """The top keys in camelCase, without what is None."""
    return {
        camel(key): value
        for key, value in values.items()
        if value is not None and key not in without
    }


def duration(seconds: float) -> str:
    """Seconds as ISO 8601: 30 is "PT30S"."""
    return format_duration(timedelta(seconds=seconds))


def seconds(text: str) -> float:
    """How long an ISO 8601 duration is: 90 for "PT1M30S"."""
    total = parse_duration(text).total_seconds()
    return int(total) if total.is_integer() else total


def envelope(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What every resource has, as az prints it; None is left out."""
    arm_id = str(resource.get("id") or "")
    group = re.search(r"/resourceGroups/([^/]+)", arm_id, re.IGNORECASE)
    view = {
        "id": arm_id or None,
        "name": resource.get("name"),
        "location": resource.get("location"),
        "tags": resource.get("tags"),
        "identity": resource.get("identity"),
        "kind": resource.get("kind"),
        "resourceGroup": group.group(1) if group else None,
        "creation_context": snake_keys(resource.get("systemData")),
    }
    return {key: value for key, value in view.items() if value is not None}


def name_of(arm_id: str, collection: str) -> str | None:
    """What follows the collection in an id: the "e" of .../onlineEndpoints/e/deployments/d."""
    match = re.search(rf"/{collection}/([^/?]+)", arm_id, re.IGNORECASE)
    return match.group(1) if match else None
