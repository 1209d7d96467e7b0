"""What the rules of a profile come to: more instances if one asks for it, fewer if all allow it.

Source: Azure documentation, "Understand autoscale settings" and "Autoscale flapping".
"""

from __future__ import annotations

import dataclasses
import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence

from lazulite.core.durations import parse_duration
from lazulite.deployments.autoscale_properties import (
    MetricTrigger,
    Profile,
    ScaleAction,
    ScaleRule,
)

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
}
STATISTICS = {"Average": "Average", "Min": "Minimum", "Max": "Maximum", "Sum": "Total"}
"""Of one grain: the aggregation that a metric has it under. Count is called so by both."""

AGGREGATE: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Average": statistics.fmean,
    "Minimum": min,
    "Maximum": max,
    "Total": sum,
    "Count": len,
    "Last": lambda grains: grains[-1],
}


@dataclasses.dataclass(frozen=True)
class Decision:
    """How many instances there are to be, and why."""

    instances: int
    reason: str
    is_action: bool = False
    """Whether a rule asked for it: then cooldowns begin."""


def value_of(trigger: MetricTrigger, grains: Sequence[float], instances: int) -> float | None:
    """One value out of those of the window's grains, oldest first; None without any."""
    if not grains:
        return None
    value = AGGREGATE[trigger.time_aggregation](grains)
    return value / max(1, instances) if trigger.divide_per_instance else value


def decide(
    profile: Profile, instances: int, values: Sequence[float | None], idle_s: float
) -> Decision:
    """What the rules ask for. values: one for each rule; idle_s: since the last action."""
    least, most = int(profile.capacity.minimum), int(profile.capacity.maximum)
    if not least <= instances <= most:
        return Decision(
            max(least, min(most, instances)), f"{least} to {most} instances are allowed"
        )
    rules = list(zip(profile.rules, values, strict=True))
    if rules and all(value is None for _, value in rules):
        default = min(most, int(profile.capacity.default))
        return Decision(max(instances, default), "no metric could be had")
    out = [rule for rule, value in rules if _goes(rule, "Increase") and _applies(rule, value)]
    if out:
        return _most(out, instances, most, idle_s)
    down = [(rule, value) for rule, value in rules if _goes(rule, "Decrease")]
    if not down or not all(_applies(rule, value) for rule, value in down):
        return Decision(instances, "no rule applies")
    return _least([rule for rule, _ in down], rules, (instances, least), idle_s)


def changed(action: ScaleAction, instances: int) -> int:
    """The number that an action makes of a number, bounds aside."""
    if action.action_type == "ExactCount":
        return int(action.value)
    step = int(action.value)
    if action.action_type == "PercentChangeCount":
        step = max(1, round(instances * step / 100))
    elif action.action_type == "ServiceAllowedNextValue":
        step = 1
    return instances - step if action.direction == "Decrease" else instances + step


def _most(rules: Sequence[ScaleRule], instances: int, most: int, idle_s: float) -> Decision:
    """The rule that asks for the most decides."""
    rule = max(rules, key=lambda each: changed(each.scale_action, instances))
    wanted = min(most, max(instances, changed(rule.scale_action, instances)))
    return _after_cooldown(rule, wanted, instances, idle_s)


def _least(
    rules: Sequence[ScaleRule],
    measured: Sequence[tuple[ScaleRule, float | None]],
    bounds: tuple[int, int],
    idle_s: float,
) -> Decision:
    """All allow fewer: the one that takes the fewest away decides, unless the way is right back."""
    instances, least = bounds
    rule = max(rules, key=lambda each: changed(each.scale_action, instances))
    wanted = max(least, min(instances, changed(rule.scale_action, instances)))
    for other, value in measured:
        if value is None or not _goes(other, "Increase") or wanted == instances:
            continue
        then = value * instances / max(1, wanted)
        if _applies(other, then):
            name = other.metric_trigger.metric_name
            reason = f"fewer instances would raise {name} to about {then:g}, and be more again"
            return Decision(instances, reason)
    return _after_cooldown(rule, wanted, instances, idle_s)


def _after_cooldown(rule: ScaleRule, wanted: int, instances: int, idle_s: float) -> Decision:
    trigger = rule.metric_trigger
    reason = f"{trigger.metric_name} {trigger.operator} {trigger.threshold:g}"
    if wanted == instances:
        return Decision(instances, f"{reason}, and the bound is reached")
    cooldown = parse_duration(rule.scale_action.cooldown).total_seconds()
    if idle_s < cooldown:
        return Decision(
            instances, f"{reason}, {math.ceil(cooldown - idle_s)} s before its cooldown"
        )
    return Decision(wanted, reason, is_action=True)


def _goes(rule: ScaleRule, direction: str) -> bool:
    return rule.scale_action.direction == direction


def _applies(rule: ScaleRule, value: float | None) -> bool:
    trigger = rule.metric_trigger
    return value is not None and COMPARE[trigger.operator](value, trigger.threshold)
