"""What a webhook is sent, in the form of Azure's common alert schema.

Source: Azure's reference of the common alert schema, metric alerts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lazulite.core.ids import name_of, segment_of
from lazulite.store.resources import Json, Resource
from lazulite.telemetry.alert_rules import Finding
from lazulite.telemetry.spans import Span, iso


class Change(NamedTuple):
    """A rule has fired, or its condition is no longer met."""

    is_fired: bool
    at: int
    """Milliseconds since 1970, as the others."""
    fired_at: int


def message(
    alert: Resource,
    change: Change,
    findings: Sequence[Finding],
    span: Span,
    given: Mapping[str, str] | None,
) -> Json:
    """The body. given: the webHookProperties of the rule's action."""
    rule = alert.properties
    scope = rule["scopes"][0]
    instance = uuid.uuid5(uuid.UUID(alert.uid), str(change.fired_at))
    where = f"/subscriptions/{segment_of(alert.id, 'subscriptions')}"
    essentials = {
        "alertId": f"{where}/providers/Microsoft.AlertsManagement/alerts/{instance}",
        "alertRule": alert.name,
        "severity": f"Sev{rule['severity']}",
        "signalType": "Metric",
        "monitorCondition": "Fired" if change.is_fired else "Resolved",
        "monitoringService": "Platform",
        "alertTargetIDs": [each.lower() for each in rule["scopes"]],
        "configurationItems": [name_of(each) for each in rule["scopes"]],
        "originAlertId": f"{alert.uid}_{alert.name}_{instance}",
        "firedDateTime": iso(change.fired_at),
        **({} if change.is_fired else {"resolvedDateTime": iso(change.at)}),
        "description": rule.get("description") or "",
        "essentialsVersion": "1.0",
        "alertContextVersion": "1.0",
    }
    condition = {
        "windowSize": rule["windowSize"],
        "allOf": [_shown(finding, scope) for finding in findings],
        "windowStartTime": iso(span[0]),
        "windowEndTime": iso(span[1]),
    }
    context = {
        "properties": dict(given) if given else None,
        "conditionType": "SingleResourceMultipleMetricCriteria",
        "condition": condition,
    }
    data = {"essentials": essentials, "alertContext": context}
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": data}


def _shown(finding: Finding, scope: str) -> Json:
    criterion = finding.criterion
    kind = "/deployments" if "/deployments/" in scope.lower() else ""
    namespace = f"Microsoft.MachineLearningServices/workspaces/onlineEndpoints{kind}"
    return {
        "metricName": criterion["metricName"],
        "metricNamespace": criterion.get("metricNamespace") or namespace,
        "operator": criterion["operator"],
        "threshold": f"{criterion['threshold']:g}",
        "timeAggregation": criterion["timeAggregation"],
        "dimensions": [{"name": name, "value": value} for name, value in finding.dimensions],
        "metricValue": finding.value,
        "webTestName": None,
    }
