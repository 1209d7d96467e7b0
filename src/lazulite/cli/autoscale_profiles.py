"""`monitor autoscale profile`."""

from __future__ import annotations

import copy
import json
from typing import Any

from lazulite.cli.autoscale import DEFAULT, bounds, find, profile_of, save
from lazulite.cli.autoscale_commands import AutoscaleArguments
from lazulite.cli.errors import CommandError
from lazulite.cli.workspace import Workspace

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Profile = dict[str, Any]


def create(workspace: Workspace, arguments: AutoscaleArguments) -> Profile:
    """Add a profile; after one of every week, the default one holds again."""
    setting = find(workspace, arguments.autoscale_name)
    profiles: list[Profile] = setting["properties"]["profiles"]
    made: Profile = {"name": arguments.name, "capacity": bounds(arguments), "rules": []}
    if arguments.copy_rules:
        made["rules"] = copy.deepcopy(profile_of(setting, arguments.copy_rules)["rules"])
    if arguments.recurrence:
        usual = profile_of(setting, DEFAULT)
        back: Profile = {"name": json.dumps({"name": usual["name"], "for": arguments.name})}
        made["recurrence"] = _weekly(arguments, arguments.start or "00:00")
        back["recurrence"] = _weekly(arguments, arguments.end or "23:59")
        profiles += [made, {**copy.deepcopy(usual), **back}]
    elif arguments.start and arguments.end:
        made["fixedDate"] = {
            "timeZone": arguments.timezone,
            "start": arguments.start,
            "end": arguments.end,
        }
        profiles.append(made)
    else:
        raise CommandError("UsageError", "Say when with --start and --end, or with --recurrence.")
    return profile_of(save(workspace, setting), arguments.name)


def show(workspace: Workspace, arguments: AutoscaleArguments) -> Profile:
    """One profile."""
    return profile_of(find(workspace, arguments.autoscale_name), arguments.name)


def listing(workspace: Workspace, arguments: AutoscaleArguments) -> list[Profile]:
    """All profiles of a setting."""
    setting = find(workspace, arguments.autoscale_name)
    profiles: list[Profile] = setting["properties"]["profiles"]
    return profiles


def delete(workspace: Workspace, arguments: AutoscaleArguments) -> None:
    """Delete a profile, and the one that leads back from it."""
    setting = find(workspace, arguments.autoscale_name)
    gone = profile_of(setting, arguments.name)
    setting["properties"]["profiles"] = [
        each
        for each in setting["properties"]["profiles"]
        if each is not gone and _leads_back_from(each) != gone["name"]
    ]
    save(workspace, setting)


def _leads_back_from(profile: Profile) -> str | None:
    try:
        named = json.loads(profile["name"])
    except ValueError:
        return None
    return named.get("for") if isinstance(named, dict) else None


def _weekly(arguments: AutoscaleArguments, at: str) -> dict[str, Any]:
    frequency, *words = (word.lower() for word in arguments.recurrence)
    days = [day for word in words for day in DAYS if day.lower().startswith(word)]
    hour, _, minute = at.partition(":")
    if frequency != "week" or len(days) != len(words) or not words:
        given = " ".join(arguments.recurrence)
        message = f"--recurrence is {given!r}: it must be week and days, as in week sat sun."
        raise CommandError("InvalidArgument", message)
    if not hour.isdecimal() or not minute.isdecimal():
        message = f"A time of every week is {at!r}: it must be like 09:30."
        raise CommandError("InvalidArgument", message)
    schedule = {"days": days, "hours": [int(hour)], "minutes": [int(minute)]}
    return {"frequency": "Week", "schedule": {"timeZone": arguments.timezone, **schedule}}
