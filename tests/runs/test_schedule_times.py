"""When triggers fire."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazulite.core.time_zones import zone_of
from lazulite.runs.cron import Cron
from lazulite.runs.schedule_times import next_time

SINCE = datetime(2026, 3, 4, 10, 20, 30, tzinfo=UTC)  # a Wednesday


def cron(expression, **more):
    return {"triggerType": "Cron", "expression": expression, **_ALWAYS, **more}


def every(interval, frequency, **more):
    given = {"triggerType": "Recurrence", "frequency": frequency, "interval": interval}
    return {**given, **_ALWAYS, **more}


_ALWAYS = {"startTime": None, "endTime": None, "timeZone": "UTC", "schedule": None}


def times(trigger, count, after=SINCE):
    found = []
    while len(found) < count and (after := next_time(trigger, SINCE, after)) is not None:
        found.append(after)
    return [f"{each:%m-%d %H:%M}" for each in found]


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (cron("15 10 * * MON-FRI"), ["03-05 10:15", "03-06 10:15", "03-09 10:15"]),
        (cron("*/20 10,12 * * *"), ["03-04 10:40", "03-04 12:00", "03-04 12:20"]),
        (cron("0 0 29 feb *"), ["02-29 00:00"]),
        (cron("5/25 * * * *"), ["03-04 10:30", "03-04 10:55", "03-04 11:05"]),
        (cron("0 9 1 * sun"), ["11-01 09:00"]),
        (cron("0 9 * * *", timeZone="Tokyo Standard Time"), ["03-05 00:00", "03-06 00:00"]),
        (cron("0 9 * * *", timeZone="Asia/Tokyo"), ["03-05 00:00", "03-06 00:00"]),
        (cron("0 12 * * *", startTime="2026-03-06T00:00:00"), ["03-06 12:00"]),
        (cron("0 12 * * *", endTime="2026-03-05T12:00:00"), ["03-04 12:00", "03-05 12:00"]),
        (every(90, "Minute"), ["03-04 11:50", "03-04 13:20"]),
        (every(1, "Day", startTime="2026-01-31T08:00:00"), ["03-05 08:00", "03-06 08:00"]),
        (every(1, "Month", startTime="2026-01-31T08:00:00"), ["03-31 08:00", "04-30 08:00"]),
        (
            every(2, "Week", schedule={"hours": [8], "minutes": [30], "weekDays": ["Monday"]}),
            ["03-16 08:30", "03-30 08:30"],
        ),
        (
            every(1, "Month", schedule={"hours": [8, 20], "minutes": [0], "monthDays": [31]}),
            ["03-31 08:00", "03-31 20:00", "05-31 08:00"],
        ),
        (
            every(3, "Day", schedule={"hours": [23], "minutes": [5]}),
            ["03-04 23:05", "03-07 23:05"],
        ),
    ],
)
def test_triggers_fire_when_azure_s_do(trigger, expected):
    assert times(trigger, len(expected)) == expected


def test_one_that_repeats_without_a_start_fires_at_once():
    before = SINCE - timedelta(microseconds=1)
    assert times(every(1, "Day"), 2, before) == ["03-04 10:20", "03-05 10:20"]


def test_wall_clocks_are_followed_over_a_change():
    berlin = {"timeZone": "W. Europe Standard Time"}
    after = datetime(2026, 3, 28, tzinfo=UTC)
    assert times(cron("30 2 * * *", **berlin), 3, after) == [
        "03-28 01:30", "03-29 01:30", "03-30 00:30"]  # fmt: skip
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert times(cron("30 2 * * *", **berlin), 2, autumn) == ["10-25 00:30", "10-26 01:30"]


def test_a_time_that_never_comes_ends():
    assert times(cron("0 0 31 4 *"), 1) == []


@given(st.integers(1, 400), st.sampled_from(["Minute", "Hour", "Day", "Week", "Month"]), st.data())
def test_asking_late_gives_the_same_times_as_asking_all_along(interval, frequency, data):
    trigger = every(interval, frequency, startTime="2026-01-31T08:00:00", timeZone="Europe/Berlin")
    after, found = SINCE - timedelta(days=90), []
    while len(found) < 6:
        after = next_time(trigger, SINCE, after)
        found.append(after)
    for earlier, later in itertools.pairwise(found):
        share = data.draw(st.floats(0, 0.999))
        assert next_time(trigger, SINCE, earlier + (later - earlier) * share) == later


@pytest.mark.parametrize("name", ["UTC", "utc", "tokyo standard time", "Europe/Paris"])
def test_zones_are_known_by_both_sorts_of_names(name):
    assert zone_of(name).utcoffset(SINCE) is not None


@pytest.mark.parametrize("name", ["Moon Standard Time", "../etc/passwd", ""])
def test_other_zones_are_refused(name):
    with pytest.raises(ValueError, match="Tokyo Standard Time"):
        zone_of(name)


@pytest.mark.parametrize(
    "text", ["* * * *", "60 * * * *", "5-1 * * * *", "*/0 * * * *", "* * 0 * *"]
)
def test_faulty_expressions_are_refused(text):
    with pytest.raises(ValueError, match=r"five fields|is no"):
        Cron.parse(text)
