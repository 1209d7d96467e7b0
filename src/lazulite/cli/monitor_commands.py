"""The commands about what is observed: `monitor`, in the words of az."""

from __future__ import annotations

from lazulite.cli.commands import Command

_ONE = "name!"

MONITOR = (
    Command(
        "monitor metrics list",
        "monitor#metrics",
        "Show what was measured of an endpoint or deployment.",
        "resource! metrics interval aggregation filter start_time end_time offset",
    ),
    Command(
        "monitor metrics list-definitions",
        "monitor#definitions",
        "List the metrics of an endpoint or deployment.",
        "resource!",
    ),
    Command(
        "monitor log-analytics query",
        "monitor#query",
        "Ask the log tables of online endpoints.",
        "analytics_query! log_workspace timespan",
    ),
    Command(
        "monitor metrics alert create",
        "monitor_alerts#create",
        "Create a rule that tells when metrics meet a condition.",
        "name! scopes! condition! window_size evaluation_frequency severity description action"
        " disabled",
    ),
    Command("monitor metrics alert list", "monitor_alerts#listing", "List the alert rules."),
    Command("monitor metrics alert show", "monitor_alerts#show", "Show an alert rule.", _ONE),
    Command("monitor metrics alert delete", "monitor_alerts#delete", "Delete an alert rule.", _ONE),
    Command(
        "monitor action-group create",
        "monitor_alerts#create_group",
        "Say which webhooks are told of alerts.",
        "name! short_name action",
    ),
    Command("monitor action-group list", "monitor_alerts#list_groups", "List the action groups."),
    Command(
        "monitor action-group show", "monitor_alerts#show_group", "Show an action group.", _ONE
    ),
    Command(
        "monitor action-group delete",
        "monitor_alerts#delete_group",
        "Delete an action group.",
        _ONE,
    ),
)
"""Functions of lazulite.cli's modules; their options are those of MonitorArguments."""

MONITOR_GROUPS = {
    "monitor": "What is observed of online endpoints.",
    "monitor metrics": "What is measured.",
    "monitor metrics alert": "Rules that tell when metrics meet a condition.",
    "monitor action-group": "Who is told of alerts.",
    "monitor log-analytics": "Log tables.",
}
