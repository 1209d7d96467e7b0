"""Rules of autoscale settings: what they come to."""

from datetime import UTC, datetime

import pytest

from lazulite.deployments.autoscale_profiles import active_profile
from lazulite.deployments.autoscale_properties import MetricTrigger, Profile, ScaleAction
from lazulite.deployments.autoscale_rules import changed, decide, value_of

IDLE = 1e9


def rule(metric, operator, threshold, direction, value="1", kind="ChangeCount", cooldown="PT5M"):
    return {
        "metricTrigger": {
            "metricName": metric,
            "metricResourceUri": "/x",
            "operator": operator,
            "threshold": threshold,
        },
        "scaleAction": {
            "direction": direction,
            "type": kind,
            "value": value,
            "cooldown": cooldown,
        },
    }


def profile(*rules, least=1, most=10, default=2, **more):
    capacity = {"minimum": str(least), "maximum": str(most), "default": str(default)}
    named = {"name": "default", **more}
    return Profile.model_validate({**named, "capacity": capacity, "rules": list(rules)})


OUT = rule("cpu", "GreaterThan", 70, "Increase", "2")
IN = rule("cpu", "LessThan", 30, "Decrease")


@pytest.mark.parametrize(
    ("cpu", "instances", "wanted"),
    [(71, 3, 5), (70, 3, 3), (29, 3, 2), (30, 3, 3), (99, 9, 10), (99, 10, 10), (0, 1, 1)],
)
def test_a_rule_adds_and_another_takes_away_within_bounds(cpu, instances, wanted):
    assert decide(profile(OUT, IN), instances, [cpu, cpu], IDLE).instances == wanted


@pytest.mark.parametrize(("instances", "wanted"), [(0, 1), (11, 10), (5, 5)])
def test_bounds_hold_without_a_rule_and_without_a_cooldown(instances, wanted):
    assert decide(profile(), instances, [], 0.0).instances == wanted


def test_any_rule_may_add_and_the_largest_number_wins():
    more = rule("latency", "GreaterThanOrEqual", 100, "Increase", "5")
    assert decide(profile(OUT, more), 2, [80, 100], IDLE).instances == 7
    assert decide(profile(OUT, more), 2, [80, 99], IDLE).instances == 4


def test_all_rules_must_allow_fewer_and_the_fewest_are_taken_away():
    other = rule("queue", "Equals", 0, "Decrease", "3")
    assert decide(profile(IN, other), 8, [10, 0], IDLE).instances == 7
    assert decide(profile(IN, other), 8, [10, 1], IDLE).instances == 8
    assert decide(profile(IN, other), 8, [10, None], IDLE).instances == 8


def test_fewer_are_not_taken_if_that_would_bring_them_right_back():
    close = rule("cpu", "LessThan", 60, "Decrease")
    found = decide(profile(OUT, close), 2, [50, 50], IDLE)
    assert found.instances == 2
    assert "raise cpu to about 100" in found.reason
    assert decide(profile(OUT, close), 10, [50, 50], IDLE).instances == 9


def test_the_cooldown_of_the_rule_counts_from_the_last_action():
    waiting = decide(profile(OUT, IN), 3, [90, 90], 299.0)
    assert (waiting.instances, waiting.is_action) == (3, False)
    assert "1 s before its cooldown" in waiting.reason
    done = decide(profile(OUT, IN), 3, [90, 90], 300.0)
    assert (done.instances, done.is_action) == (5, True)


def test_without_metrics_there_are_as_many_as_the_default_at_least():
    assert decide(profile(OUT, IN), 1, [None, None], IDLE).instances == 2
    assert decide(profile(OUT, IN), 5, [None, None], IDLE).instances == 5


@pytest.mark.parametrize(
    ("direction", "kind", "value", "wanted"),
    [
        ("Increase", "PercentChangeCount", "50", 15),
        ("Decrease", "PercentChangeCount", "1", 9),
        ("Increase", "ExactCount", "4", 4),
        ("Decrease", "ServiceAllowedNextValue", "7", 9),
    ],
)
def test_what_an_action_makes_of_ten(direction, kind, value, wanted):
    action = ScaleAction.model_validate({"direction": direction, "type": kind, "value": value})
    assert changed(action, 10) == wanted


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [
        ("Average", 4.0),
        ("Minimum", 1.0),
        ("Maximum", 9.0),
        ("Total", 12.0),
        ("Count", 3.0),
        ("Last", 2.0),
    ],
)
def test_the_values_of_a_window_become_one(aggregation, value):
    given = {**rule("cpu", "Equals", 0, "None")["metricTrigger"], "timeAggregation": aggregation}
    trigger = MetricTrigger.model_validate(given)
    assert value_of(trigger, [1.0, 9.0, 2.0], 2) == value
    divided = MetricTrigger.model_validate({**given, "divide_per_instance": True})
    assert value_of(divided, [1.0, 9.0, 2.0], 2) == value / 2
    assert value_of(trigger, [], 2) is None


def weekly(name, days, hour, zone="UTC"):
    schedule = {"timeZone": zone, "days": days, "hours": [hour], "minutes": [30]}
    return profile(name=name, recurrence={"frequency": "Week", "schedule": schedule})


@pytest.mark.parametrize(
    ("now", "name"),
    [
        ((2024, 5, 18, 9, 29), "work"),  # Saturday, a minute before
        ((2024, 5, 18, 9, 30), "weekend"),
        ((2024, 5, 20, 9, 29), "weekend"),  # Monday
        ((2024, 5, 20, 9, 30), "work"),
        ((2024, 12, 24, 12, 0), "holiday"),
        ((2024, 12, 24, 23, 0), "work"),
    ],
)
def test_the_profile_that_began_last_holds_and_a_fixed_date_comes_first(now, name):
    weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    holiday = {"timeZone": "UTC", "start": "2024-12-24T00:00:00Z", "end": "2024-12-24T22:00:00"}
    profiles = [
        profile(),
        weekly("work", weekdays, 9),
        weekly("weekend", ["Saturday", "Sunday"], 9),
        profile(name="holiday", fixedDate=holiday),
    ]
    assert active_profile(profiles, datetime(*now, tzinfo=UTC)).name == name


def test_times_of_a_profile_are_those_of_its_zone():
    profiles = [
        weekly("day", ["Monday"], 9, "Pacific Standard Time"),
        weekly("night", ["Sunday"], 9, "Pacific Standard Time"),
    ]
    at = datetime(2024, 7, 1, 16, 29, tzinfo=UTC)  # 9:29 on a Monday in Los Angeles
    assert active_profile(profiles, at).name == "night"
    assert active_profile(profiles, at.replace(minute=30)).name == "day"


def test_a_setting_without_a_schedule_has_its_first_profile():
    assert active_profile([profile(), profile(name="b")], datetime.now(UTC)).name == "default"
