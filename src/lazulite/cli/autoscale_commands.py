"""The table of `lazulite monitor autoscale ...`: the words of `az monitor autoscale`."""

from __future__ import annotations

import dataclasses

from lazulite.cli.arguments import ServerArguments, option, several
from lazulite.cli.commands import Command

_OF_PROFILE = "autoscale_name! profile_name"

AUTOSCALE = (
    Command(
        "monitor autoscale create",
        "autoscale#create",
        "Have a deployment scaled by rules; add these with `rule create`.",
        "name resource! count! min_count max_count disabled tags",
    ),
    Command(
        "monitor autoscale show",
        "autoscale#show",
        "Show a setting, and how it was judged last.",
        "name!",
    ),
    Command("monitor autoscale list", "autoscale#listing", "List the settings."),
    Command(
        "monitor autoscale update",
        "autoscale#update",
        "Change the bounds of the default profile, or whether the setting is enabled.",
        "name! count min_count max_count enabled tags",
    ),
    Command(
        "monitor autoscale delete",
        "autoscale#delete",
        "Delete a setting.",
        "name!",
        "Delete the setting?",
    ),
    Command(
        "monitor autoscale rule create",
        "autoscale_rules#create",
        "Add a rule: a condition, and what then.",
        f"{_OF_PROFILE} condition! scale! cooldown timegrain source",
    ),
    Command(
        "monitor autoscale rule list",
        "autoscale_rules#listing",
        "List the rules of a profile.",
        _OF_PROFILE,
    ),
    Command(
        "monitor autoscale rule delete",
        "autoscale_rules#delete",
        "Delete rules of a profile by their numbers, or all.",
        f"{_OF_PROFILE} index!",
    ),
    Command(
        "monitor autoscale rule copy",
        "autoscale_rules#copy",
        "Copy rules from one profile to another.",
        "autoscale_name! source_schedule dest_schedule! index!",
    ),
    Command(
        "monitor autoscale profile create",
        "autoscale_profiles#create",
        "Add bounds for a time: a fixed one, or one of every week.",
        "name! autoscale_name! count! min_count max_count copy_rules start end recurrence timezone",
    ),
    Command(
        "monitor autoscale profile show",
        "autoscale_profiles#show",
        "Show a profile.",
        "name! autoscale_name!",
    ),
    Command(
        "monitor autoscale profile list",
        "autoscale_profiles#listing",
        "List the profiles.",
        "autoscale_name!",
    ),
    Command(
        "monitor autoscale profile delete",
        "autoscale_profiles#delete",
        "Delete a profile.",
        "name! autoscale_name!",
    ),
)
"""Functions of lazulite.cli's modules."""

AUTOSCALE_GROUPS = {
    "monitor": "Azure Monitor's words for what watches deployments.",
    "monitor autoscale": "Rules by which online deployments are scaled.",
    "monitor autoscale rule": "Conditions, and what then.",
    "monitor autoscale profile": "Bounds and rules for certain times.",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutoscaleArguments(ServerArguments):
    """What the user gave; an option left out has its default (texts: empty, numbers: None)."""

    name: str = option("--name", "-n", help="Name of the setting, or of the profile.")
    autoscale_name: str = option("--autoscale-name", help="Name of the setting.")
    resource: str = option("--resource", help="ARM id of the online deployment to scale.")
    source: str = option(
        "--resource", help="ARM id of what is measured, if that is not the deployment."
    )
    count: int | None = option(
        "--count", help="How many instances if metrics cannot be had.", default=None, type=int
    )
    min_count: int | None = option("--min-count", help="The fewest.", default=None, type=int)
    max_count: int | None = option("--max-count", help="The most.", default=None, type=int)
    disabled: bool = option("--disabled", help="Keep it, and do nothing.", default=False)
    enabled: str = option("--enabled", help="true or false.")
    tags: tuple[str, ...] = several("--tags", help="Tags as name=value, separated by spaces.")
    profile_name: str = option(
        "--profile-name", help="The profile of the rules.", default="default"
    )
    condition: str = option("--condition", help='Such as "CpuUtilizationPercentage > 70 avg 5m".')
    scale: tuple[str, ...] = several("--scale", help="out 2, in 1, out 50%, to 3.")
    cooldown: int = option("--cooldown", help="Minutes until the next action.", default=5)
    timegrain: tuple[str, ...] = several("--timegrain", help="How values of a grain are made one.")
    index: tuple[str, ...] = several("--index", help="Numbers as in `rule list`, or *.")
    source_schedule: str = option(
        "--source-schedule", help="Profile to copy from.", default="default"
    )
    dest_schedule: str = option("--dest-schedule", help="Profile to copy to.")
    copy_rules: str = option("--copy-rules", help="Profile whose rules the new one gets.")
    start: str = option("--start", help="Date and time, or of every week the time: 09:00.")
    end: str = option("--end", help="When it ends, likewise.")
    recurrence: tuple[str, ...] = several(
        "--recurrence", "-r", help="week, and days: week sat sun."
    )
    timezone: str = option("--timezone", help="Such as Pacific Standard Time.", default="UTC")
    workspace: str = option("--workspace-name", "--workspace", "-w", help="Name of the workspace.")
