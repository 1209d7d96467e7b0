"""`ml schedule`: command jobs that start at times, with the fields of az's YAML schemas.

Source: spec/REST.md 7.8.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lazulite.cli import assets, jobs, operations, scheduled_jobs
from lazulite.cli.arguments import Arguments
from lazulite.cli.deployments import present
from lazulite.cli.documents import Document
from lazulite.cli.errors import CommandError
from lazulite.cli.shapes import ANYTHING, FLAG, INTEGER, TEXT, TEXTS, Shape
from lazulite.cli.wire import camel_keys, envelope, pascal, snake, snake_keys
from lazulite.cli.workspace import Workspace

VERSION = "2023-10-01"
COLLECTION = "schedules"
_TIMES = ("hours", "minutes", "week_days", "month_days")
SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "display_name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "properties": TEXTS,
    "is_enabled": FLAG,
    "trigger": {
        "type": frozenset({"cron", "recurrence"}),
        "expression": TEXT,
        "frequency": frozenset({"minute", "hour", "day", "week", "month"}),
        "interval": INTEGER,
        "schedule": dict.fromkeys(_TIMES, ANYTHING),
        "start_time": TEXT,
        "end_time": TEXT,
        "time_zone": TEXT,
    },
    "create_job": (TEXT, ANYTHING),
}
_OURS = "lazulite."


def create(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Create the schedule, or replace it. It starts jobs from now on."""
    found = assets.document(arguments, SHAPE)
    values = found.values
    for field in ("name", "trigger", "create_job"):
        if not values.get(field):
            raise found.error((), f"a schedule needs a `{field}`")
    properties = {
        **assets.described(values),
        "displayName": values.get("display_name"),
        "isEnabled": values.get("is_enabled") is not False,
        "trigger": _trigger(found),
        "action": scheduled_jobs.action(workspace, found),
    }
    return _put(workspace, values["name"], present(properties), arguments)


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say; the rest stays as it is."""
    name = assets.name_in(arguments, "a schedule")
    current = _get(workspace, name)["properties"]
    shown = _view_of(current)
    kept = {key: shown[key] for key in SHAPE if key in shown and key != "create_job"}
    found = assets.document(arguments, SHAPE, kept)
    values = found.values
    properties = {
        **current,
        **present(assets.described(values)),
        "displayName": values.get("display_name"),
        "isEnabled": values.get("is_enabled") is not False,
        "trigger": _trigger(found),
    }
    if values.get("create_job"):
        properties["action"] = scheduled_jobs.action(workspace, found)
    return _put(workspace, name, present(properties), arguments)


def show(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """One schedule, with what it started last and what comes next."""
    return view(_get(workspace, arguments.name))


def listing(workspace: Workspace, arguments: Arguments) -> list[dict[str, Any]]:
    """The enabled schedules; others if asked for."""
    which = "DisabledOnly" if arguments.disabled_only else ""
    which = which or ("All" if arguments.include_disabled else "EnabledOnly")
    found = workspace.list(COLLECTION, VERSION, listViewType=which)
    return [view(item) for item in itertools.islice(found, arguments.max_results)]


def delete(workspace: Workspace, arguments: Arguments) -> None:
    """Delete the schedule; its jobs stay."""
    path = f"{COLLECTION}/{arguments.name}"
    operations.delete(workspace, path, waiting=not arguments.no_wait, version=VERSION)


def enable(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Have it start jobs at the times from now on; what was missed is not made up for."""
    return _switch(workspace, arguments, is_enabled=True)


def disable(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Have it rest. Jobs that run go on."""
    return _switch(workspace, arguments, is_enabled=False)


def trigger(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Submit its job now, under the name that a start at this time would give it."""
    action = _get(workspace, arguments.name)["properties"]["action"]
    if action["actionType"] != "CreateJob":
        raise CommandError(
            "NotSupported",
            f"The schedule {arguments.name!r} starts no command job but does"
            f" {action['actionType']}: use `lazulite ml batch-endpoint invoke` instead.",
        )
    name = f"{arguments.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    body = {"properties": action["jobDefinition"]}
    made = jobs.view(workspace.put(f"jobs/{name}", body, scheduled_jobs.VERSION))
    return {"job_name": made["name"], "schedule_action_type": "create_job"}


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule as az prints it, and what became of it."""
    properties = resource.get("properties") or {}
    told = {
        snake(name.removeprefix(_OURS)): value
        for name, value in (properties.get("properties") or {}).items()
        if name.startswith(_OURS)
    }
    return present({**envelope(resource), **_view_of(properties), **told})


def _view_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    shown = snake_keys({key: item for key, item in properties.items() if key != "action"})
    action = properties.get("action") or {}
    if action.get("actionType") == "CreateJob":
        shown["create_job"] = scheduled_jobs.view(action["jobDefinition"])
    elif action:
        shown[snake(str(action["actionType"]))] = snake_keys(
            {key: item for key, item in action.items() if key != "actionType"}
        )
    own = shown.get("properties") or {}
    shown["properties"] = {key: own[key] for key in own if not key.startswith(_OURS)}
    given = shown.get("trigger") or {}
    kind = str(given.pop("trigger_type", "")).lower()
    given = {**given, "frequency": given.get("frequency") and str(given["frequency"]).lower()}
    shown["trigger"] = present({"type": kind, **given})
    return dict(shown)


def _trigger(found: Document) -> dict[str, Any]:
    """On the wire. Raises CommandError for what a trigger of its type lacks."""
    given = found.values["trigger"]
    kind = given.get("type")
    needed = {"cron": ("expression",), "recurrence": ("frequency", "interval")}.get(kind or "")
    if needed is None:
        raise found.error(("trigger", "type"), "a trigger needs a type: cron or recurrence")
    for field in needed:
        if given.get(field) is None:
            raise found.error(("trigger",), f"a {kind} trigger needs a `{field}`")
    times = given.get("schedule")
    body = {
        **{name: item for name, item in given.items() if name not in {"type", "schedule"}},
        "frequency": given.get("frequency") and pascal(given["frequency"]),
        "schedule": times and camel_keys({name: _listed(times.get(name)) for name in _TIMES}),
    }
    return {"triggerType": pascal(kind), **camel_keys(body)}


def _listed(value: Any) -> list[Any] | None:
    """The number or word in a list of its own; days of the week as the server spells them."""
    if value is None:
        return None
    several = value if isinstance(value, list) else [value]
    return [each.capitalize() if isinstance(each, str) else each for each in several]


def _switch(workspace: Workspace, arguments: Arguments, *, is_enabled: bool) -> dict[str, Any]:
    current = _get(workspace, arguments.name)["properties"]
    return _put(workspace, arguments.name, {**current, "isEnabled": is_enabled}, arguments)


def _get(workspace: Workspace, name: str) -> dict[str, Any]:
    return workspace.get(f"{COLLECTION}/{name}", VERSION)


def _put(
    workspace: Workspace, name: str, properties: Mapping[str, Any], arguments: Arguments
) -> dict[str, Any]:
    waiting, body = not arguments.no_wait, {"properties": properties}
    path = f"{COLLECTION}/{name}"
    return view(operations.put(workspace, path, body, waiting=waiting, version=VERSION))
