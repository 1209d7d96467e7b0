"""Every option of the `monitor` commands, in the words of az."""

from __future__ import annotations

import dataclasses

from lazulite.cli.arguments import ServerArguments, option, several


@dataclasses.dataclass(frozen=True, kw_only=True)
class MonitorArguments(ServerArguments):
    """What the user gave; an option left out has its default."""

    name: str = option("--name", "-n", help="Name of the alert rule or action group.")
    resource: str = option(
        "--resource",
        help="ARM id of an endpoint or deployment, or its path in the workspace, such as "
        "onlineEndpoints/e/deployments/d.",
    )
    metrics: tuple[str, ...] = several("--metrics", "--metric", help="Names of metrics.")
    interval: str = option("--interval", help="Length of an interval: PT1M, PT5M, PT1H, P1D, FULL.")
    aggregation: tuple[str, ...] = several(
        "--aggregation", help="Average, Minimum, Maximum, Total or Count; several may be given."
    )
    filter: str = option("--filter", help="Such as \"deployment eq 'blue' and statusCode eq '*'\".")
    start_time: str = option("--start-time", help="Such as 2026-01-31T12:00:00Z.")
    end_time: str = option("--end-time", help="Such as 2026-01-31T13:00:00Z (default: now).")
    offset: str = option("--offset", help="Length of time to show: 30m, 1h, 2d.", default="1h")
    analytics_query: str = option("--analytics-query", help="Query in Kusto's language.")
    log_workspace: str = option(
        "--workspace", "-w", help="Name or id of the workspace whose logs are asked."
    )
    timespan: str = option("--timespan", "-t", help="Such as PT1H, or two times with a slash.")
    scopes: tuple[str, ...] = several(
        "--scopes", help="ARM ids or paths of the endpoints or deployments that are watched."
    )
    condition: tuple[str, ...] = several(
        "--condition",
        help='Such as "avg RequestLatency_P95 > 500" or "total RequestsPerMinute > 0 where '
        'statusCodeClass includes 5xx". All of several must be met.',
    )
    window_size: str = option("--window-size", help="Time to look at: 1m, 5m, 1h.", default="5m")
    evaluation_frequency: str = option(
        "--evaluation-frequency", help="How often to look: 1m, 5m, 1h.", default="1m"
    )
    severity: int = option("--severity", help="0 (critical) to 4 (verbose).", default=2)
    description: str = option("--description", help="What the rule is for.")
    action: tuple[str, ...] = several(
        "--action", help="Of a rule: names or ids of action groups. Of a group: webhook NAME URI."
    )
    disabled: bool = option("--disabled", help="Do not judge the rule.", default=False)
    short_name: str = option("--short-name", help="Of an action group: at most 12 characters.")
    workspace: str = option("--workspace-name", help="Name of the workspace.")
