"""Autoscale settings carried out: what the rules come to is written into sku.capacity.

So a deployment that is scaled looks like one that somebody has scaled, in Azure as here.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from lazulite.core.clock import Clock
from lazulite.core.durations import parse_duration
from lazulite.core.errors import ArmError, LazuliteError
from lazulite.core.ids import AUTOSCALE_SETTINGS, ONLINE_DEPLOYMENTS, fold
from lazulite.deployments.autoscale_profiles import active_profile
from lazulite.deployments.autoscale_properties import AutoscaleSetting, MetricTrigger
from lazulite.deployments.autoscale_rules import STATISTICS, Decision, decide, value_of
from lazulite.deployments.online_properties import MOST_INSTANCES
from lazulite.deployments.online_replicas import capacity, utilization_scale
from lazulite.identity.access import Access
from lazulite.store.resources import Draft, Json, Resource, Resources

log = logging.getLogger(__name__)

EVERY_S = 10.0
ACTOR = "autoscale"
LONG_AGO_S = 1e9
SCALE = f"{ONLINE_DEPLOYMENTS}/write"
MEASURE = "Microsoft.Insights/metrics/read"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """Which values of a metric are asked for."""

    resource: str
    """The ARM id of an online endpoint or deployment."""
    metric: str
    aggregation: str
    """Of each grain: Average, Minimum, Maximum, Total or Count."""
    start: datetime
    end: datetime
    grain: timedelta


ReadMetric = Callable[[Window], Awaitable[Sequence[float]]]
"""The values of the grains that have one, oldest first. Raises ArmError for an unknown metric."""


@dataclasses.dataclass(frozen=True)
class Autoscaling:
    """Scales as who wrote the setting last. Call look() every now and then."""

    resources: Resources
    read: ReadMetric
    clock: Clock
    access: Access
    seen: dict[str, Json] = dataclasses.field(default_factory=dict)
    """By uid of the setting: how it was judged last."""
    acted: dict[str, datetime] = dataclasses.field(default_factory=dict)
    """By uid of the deployment: when a rule scaled it last."""

    async def look(self) -> None:
        """Judge every setting once; one that cannot be judged does not keep out the others."""
        settings = await self.resources.of_type(AUTOSCALE_SETTINGS)
        for row in settings:
            try:
                self.seen[row.uid] = await self._judged(row)
            except LazuliteError as error:
                self.seen[row.uid] = self._noted(error.message)
            except Exception:  # the loop: the next turn tries again
                log.exception("an autoscale setting could not be judged", extra={"id": row.id})
        for gone in self.seen.keys() - {row.uid for row in settings}:
            del self.seen[gone]

    async def check(self, actor: str, properties: Json) -> None:
        """Whoever may write settings must not come to scale or read what they may not.

        Raises ArmError 403.
        """
        await self.access.require(actor, SCALE, properties["targetResourceUri"])
        rules = [rule for profile in properties["profiles"] for rule in profile["rules"]]
        for scope in {rule["metricTrigger"]["metricResourceUri"] for rule in rules}:
            await self.access.require(actor, MEASURE, scope)

    async def rival(self, arm_id: str, properties: Json) -> Resource | None:
        """Another setting of the same target, written by somebody who may scale it."""
        target = fold(properties["targetResourceUri"])
        for other in await self.resources.of_type(AUTOSCALE_SETTINGS):
            is_same = fold(other.properties["targetResourceUri"]) == target
            if is_same and other.key != fold(arm_id) and await self._may(other):
                return other
        return None

    async def _may(self, row: Resource) -> bool:
        try:
            await self.check(row.modified_by, row.properties)
        except ArmError:
            return False
        return True

    async def _judged(self, row: Resource) -> Json:
        setting = AutoscaleSetting.model_validate(row.properties)
        if not setting.enabled:
            return self._noted("the setting is disabled")
        await self.check(row.modified_by, row.properties)
        target = await self.resources.find(setting.target_resource_uri)
        if target is None or target.resource_type != ONLINE_DEPLOYMENTS:
            return self._noted(f"there is no online deployment {setting.target_resource_uri}")
        if utilization_scale(target) is not None:
            return self._noted("the deployment's own scaleSettings scale it: set them to Default")
        if target.provisioning_state != "Succeeded":
            return self._noted(f"the deployment is {target.provisioning_state}")
        profile = active_profile(setting.profiles, self.clock())
        instances = capacity(target)
        triggers = [rule.metric_trigger for rule in profile.rules]
        values = [
            value_of(each, await self.read(self._window(each)), instances) for each in triggers
        ]
        decision = decide(profile, instances, values, self._idle_s(target))
        await self._scale(target, decision)
        measured = zip(triggers, values, strict=True)
        return self._noted(
            decision.reason,
            profile=profile.name,
            instances=decision.instances,
            metrics=[{"metricName": each.metric_name, "value": value} for each, value in measured],
        )

    def _window(self, trigger: MetricTrigger) -> Window:
        end = self.clock()
        return Window(
            resource=trigger.metric_resource_uri,
            metric=trigger.metric_name,
            aggregation=STATISTICS.get(trigger.statistic, "Count"),
            start=end - parse_duration(trigger.time_window),
            end=end,
            grain=parse_duration(trigger.time_grain),
        )

    def _idle_s(self, target: Resource) -> float:
        last = self.acted.get(target.uid)
        if last is None and target.modified_by == ACTOR:  # before this process began
            last = target.modified_at
        return LONG_AGO_S if last is None else (self.clock() - last).total_seconds()

    async def _scale(self, target: Resource, decision: Decision) -> None:
        wanted = max(1, min(MOST_INSTANCES, decision.instances))
        if wanted == capacity(target):
            return
        sku = {**(target.envelope.get("sku") or {}), "capacity": wanted}
        draft = Draft(
            resource_type=target.resource_type,
            id=target.id,
            properties=target.properties,
            envelope={**target.envelope, "sku": sku},
            uid=target.uid,
        )
        if await self.resources.put(draft, ACTOR, if_revision=target.revision) is None:
            return  # somebody else changed it meanwhile: the next look sees that
        if decision.is_action:
            self.acted[target.uid] = self.clock()
        log.info("scaled", extra={"id": target.id, "to": wanted, "reason": decision.reason})

    def _noted(self, reason: str, **more: Any) -> Json:
        return {"time": self.clock().isoformat(), "reason": reason, **more}
