"""The three log tables of online endpoints, with the columns that Azure Monitor gives them.

What a row has is stored; what follows from its deployment is added by a view when it is read.
Source: Azure's reference of AmlOnlineEndpointConsoleLog, ...TrafficLog and ...EventLog.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

CONSOLE = "AmlOnlineEndpointConsoleLog"
TRAFFIC = "AmlOnlineEndpointTrafficLog"
EVENTS = "AmlOnlineEndpointEventLog"

TIME, TEXT, INTEGER = "datetime", "string", "int"

_PLACE = {
    "EndpointName": "p.endpoint",
    "DeploymentName": "p.deployment",
    "_ResourceId": "p.id",
    "_SubscriptionId": "p.subscription",
    "AzureMLWorkspaceName": "p.workspace",
    "AzureMLWorkspaceId": "p.workspace_uid",
    "Location": "p.location",
}
"""Columns that come from where a row belongs: the expression for each."""


@dataclasses.dataclass(frozen=True)
class Table:
    """One log table."""

    name: str
    operation: str
    """The OperationName of its rows."""
    stored: Mapping[str, str]
    """The columns that a row brings, and their types; besides TimeGenerated."""
    text: str
    """The column that a search for text looks into."""

    @property
    def columns(self) -> dict[str, str]:
        """All columns that can be asked for, and their types, in the order they are shown."""
        fixed = dict.fromkeys(("OperationName", *_PLACE, "SourceSystem", "Type"), TEXT)
        return {"TimeGenerated": TIME, **self.stored, **fixed}

    def statements(self) -> tuple[str, ...]:
        """What makes the table and its view, unless they are there."""
        types = {TEXT: "TEXT", INTEGER: "INTEGER"}
        own = ", ".join(f'"{name}" {types[kind]}' for name, kind in self.stored.items())
        given = [f'r."{name}" AS "{name}"' for name in self.stored]
        added = [f'{expression} AS "{name}"' for name, expression in _PLACE.items()]
        added += [f"'{self.operation}' AS OperationName", "'Azure' AS SourceSystem"]
        shown = ", ".join([*given, *added, f"'{self.name}' AS Type"])
        rows = f"rows_{self.name}"
        return (
            f"CREATE TABLE IF NOT EXISTS {rows} (number INTEGER PRIMARY KEY AUTOINCREMENT, "
            f"at INTEGER NOT NULL, place INTEGER NOT NULL, {own})",
            f"CREATE INDEX IF NOT EXISTS {rows}_by_time ON {rows} (at)",
            f"CREATE VIEW IF NOT EXISTS {self.name} AS SELECT r.number AS number, "  # noqa: S608
            f"r.place AS place, r.at AS TimeGenerated, {shown} "
            f"FROM {rows} r JOIN places p ON p.number = r.place",
        )


TABLES = {
    table.name: table
    for table in (
        Table(
            CONSOLE,
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/console",
            {
                "InstanceId": TEXT,
                "ContainerName": TEXT,
                "ContainerImageName": TEXT,
                "Level": TEXT,
                "Message": TEXT,
            },
            "Message",
        ),
        Table(
            TRAFFIC,
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score",
            {
                "Method": TEXT,
                "Path": TEXT,
                "Protocol": TEXT,
                "ResponseCode": INTEGER,
                "ResponseCodeReason": TEXT,
                "ModelStatusCode": INTEGER,
                "ModelStatusReason": TEXT,
                "RequestPayloadSize": INTEGER,
                "ResponsePayloadSize": INTEGER,
                "UserAgent": TEXT,
                "XRequestId": TEXT,
                "XMSClientRequestId": TEXT,
                "AuthType": TEXT,
                "TotalDurationMs": INTEGER,
                "RequestDurationMs": INTEGER,
                "ResponseDurationMs": INTEGER,
                "QueueDurationMs": INTEGER,
                "ModelDurationMs": INTEGER,
                "RequestThrottlingDelayMs": INTEGER,
                "ResponseThrottlingDelayMs": INTEGER,
            },
            "Path",
        ),
        Table(
            EVENTS,
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/event",
            {"InstanceId": TEXT, "Name": TEXT, "Level": TEXT, "Message": TEXT},
            "Message",
        ),
    )
}
"""By name. Level, QueueDurationMs and ModelDurationMs are columns that Azure does not have."""
