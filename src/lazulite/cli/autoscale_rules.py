"""`monitor autoscale rule`."""

from __future__ import annotations

import copy as copying
from typing import Any

from lazulite.cli.autoscale import find, profile_of, save
from lazulite.cli.autoscale_commands import AutoscaleArguments
from lazulite.cli.autoscale_conditions import condition, scale_action, time_grain
from lazulite.cli.errors import CommandError
from lazulite.cli.workspace import Workspace

Rule = dict[str, Any]


def create(workspace: Workspace, arguments: AutoscaleArguments) -> Rule:
    """Add a rule at the end of a profile."""
    setting = find(workspace, arguments.autoscale_name)
    rule = {
        "metricTrigger": {
            **condition(arguments.condition),
            **time_grain(arguments.timegrain or ("avg", "1m")),
            "metricResourceUri": arguments.source or setting["properties"]["targetResourceUri"],
        },
        "scaleAction": scale_action(arguments.scale, arguments.cooldown),
    }
    profile_of(setting, arguments.profile_name)["rules"].append(rule)
    saved = save(workspace, setting)
    made: Rule = profile_of(saved, arguments.profile_name)["rules"][-1]
    return made


def listing(workspace: Workspace, arguments: AutoscaleArguments) -> list[Rule]:
    """The rules of a profile; their places are what --index names."""
    setting = find(workspace, arguments.autoscale_name)
    rules: list[Rule] = profile_of(setting, arguments.profile_name)["rules"]
    return rules


def delete(workspace: Workspace, arguments: AutoscaleArguments) -> None:
    """Delete rules of a profile."""
    setting = find(workspace, arguments.autoscale_name)
    profile = profile_of(setting, arguments.profile_name)
    gone = _chosen(profile["rules"], arguments.index)
    profile["rules"] = [rule for n, rule in enumerate(profile["rules"]) if n not in gone]
    save(workspace, setting)


def copy(workspace: Workspace, arguments: AutoscaleArguments) -> list[Rule]:
    """Add rules of one profile to another; what the other has then."""
    setting = find(workspace, arguments.autoscale_name)
    rules = profile_of(setting, arguments.source_schedule)["rules"]
    target = profile_of(setting, arguments.dest_schedule)
    chosen = sorted(_chosen(rules, arguments.index))
    target["rules"] = [*target["rules"], *(copying.deepcopy(rules[n]) for n in chosen)]
    saved = save(workspace, setting)
    made: list[Rule] = profile_of(saved, arguments.dest_schedule)["rules"]
    return made


def _chosen(rules: list[Rule], index: tuple[str, ...]) -> set[int]:
    """The places that --index names. Raises CommandError for one that is not there."""
    if index == ("*",):
        return set(range(len(rules)))
    for word in index:
        if not word.isdecimal() or int(word) >= len(rules):
            message = f"--index {word!r} must be * or a number from 0 to {len(rules) - 1}."
            raise CommandError("InvalidArgument", message)
    return {int(word) for word in index}
