"""Microsoft.Insights/actionGroups: whom alerts are told to. Of Azure's receivers: webhooks.

Source: Azure's REST reference, Action Groups 2018-03-01 to 2023-01-01.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from lazulite.arm.kind import Kind, Properties, Proposal
from lazulite.core.errors import ArmError
from lazulite.core.ids import ACTION_GROUPS

_OTHERS = (
    *("emailReceivers", "smsReceivers", "voiceReceivers", "armRoleReceivers"),
    *("azureAppPushReceivers", "itsmReceivers", "automationRunbookReceivers"),
    *("logicAppReceivers", "azureFunctionReceivers", "eventHubReceivers"),
)


class WebhookReceiver(Properties):
    """A URL that gets a POST in the common alert schema, whatever useCommonAlertSchema says."""

    name: str
    service_uri: str = Field(pattern=r"(?i)^https?://")
    use_common_alert_schema: bool = True


class ActionGroup(Properties):
    """The receivers."""

    group_short_name: str = Field(min_length=1, max_length=12)
    enabled: bool = True
    webhook_receivers: list[WebhookReceiver] = Field(default_factory=list, max_length=10)
    """Source: Azure documentation, "Azure Monitor service limits"."""


def action_group() -> Kind:
    """A record."""
    provider, _, resource_type = ACTION_GROUPS.partition("/")
    return Kind(
        resource_type=resource_type,
        provider=provider,
        since="2014-12-01",
        name=re.compile(r"[^/?#&%]{1,260}"),
        properties=ActionGroup,
        envelope=frozenset({"location", "tags"}),
        prepare=_checked,
        has_state=False,
    )


async def _checked(proposal: Proposal) -> Proposal:
    """Nobody must wait for a mail that is never sent."""
    given: dict[str, Any] = {name.casefold(): value for name, value in proposal.given.items()}
    for name in _OTHERS:
        if given.get(name.casefold()):
            message = f"{name} are not served here: use webhookReceivers, or read the server's log."
            raise ArmError("ReceiverNotSupported", message, target=name)
    return proposal
