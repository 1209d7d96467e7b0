"""The words of `az monitor autoscale rule create`."""

import pytest

from lazulite.cli.autoscale_conditions import condition, period, scale_action, time_grain
from lazulite.cli.errors import CommandError


def test_a_condition_is_metric_operator_threshold_aggregation_and_time():
    assert condition("CpuUtilizationPercentage > 70 avg 5m") == {
        "metricName": "CpuUtilizationPercentage",
        "metricNamespace": None,
        "operator": "GreaterThan",
        "threshold": 70.0,
        "timeAggregation": "Average",
        "timeWindow": "PT5M",
    }
    assert condition("x<=-1.5 total 1h30m")["timeWindow"] == "PT1H30M"


@pytest.mark.parametrize(
    "text",
    ["", "cpu", "cpu > 70", "cpu => 70 avg 5m", "cpu > 70 mean 5m", "cpu > 70 avg x",
     "cpu > 70 avg 5m where x == y"],
)  # fmt: skip
def test_a_condition_that_cannot_be_read_is_refused(text):
    with pytest.raises(CommandError, match=r"it must be"):
        condition(text)


@pytest.mark.parametrize(
    ("words", "direction", "kind", "value"),
    [
        (("out", "2"), "Increase", "ChangeCount", "2"),
        (("in", "1"), "Decrease", "ChangeCount", "1"),
        (("out", "50%"), "Increase", "PercentChangeCount", "50"),
        (("to", "3"), "Increase", "ExactCount", "3"),
    ],
)
def test_an_action_is_a_direction_and_a_number(words, direction, kind, value):
    assert scale_action(words, 7) == {
        "direction": direction,
        "type": kind,
        "value": value,
        "cooldown": "PT7M",
    }


@pytest.mark.parametrize("words", [("out",), ("up", "1"), ("out", "x"), ("to", "5%"), ("in", "")])
def test_an_action_that_cannot_be_read_is_refused(words):
    with pytest.raises(CommandError, match="--scale"):
        scale_action(words, 5)


def test_a_grain_may_name_its_statistic():
    assert time_grain(("1m",)) == {"statistic": "Average", "timeGrain": "PT1M"}
    assert time_grain(("max", "30s")) == {"statistic": "Max", "timeGrain": "PT30S"}
    with pytest.raises(CommandError, match="--timegrain"):
        time_grain(("sometimes", "1m"))


@pytest.mark.parametrize(
    ("text", "wanted"), [("5m", "PT5M"), ("1d", "P1D"), ("1d2h3m4s", "P1DT2H3M4S")]
)
def test_a_time_becomes_an_iso_duration(text, wanted):
    assert period(text) == wanted
