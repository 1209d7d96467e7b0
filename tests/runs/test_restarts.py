"""Supervisors that end again and again."""

from datetime import timedelta

from lazulite.core.clock import utc_now
from lazulite.runs.restarts import FORGIVEN_AFTER_S, forgive, may_start


def starts(folder, now, seconds):
    """How often it is started by somebody who looks twice a second."""
    return sum(may_start(folder, now + timedelta(seconds=tick / 2)) for tick in range(seconds * 2))


def test_the_first_starts_are_at_once_and_later_ones_rarer_and_rarer(tmp_path):
    now = utc_now()
    assert starts(tmp_path, now, 2) == 3
    assert starts(tmp_path, now + timedelta(seconds=2), 600) < 20


def test_one_that_ran_for_long_or_ended_as_it_should_begins_anew(tmp_path):
    now = utc_now()
    assert starts(tmp_path, now, 60) > 3
    later = now + timedelta(seconds=60 + FORGIVEN_AFTER_S)
    assert starts(tmp_path, later, 1) == 2
    forgive(tmp_path)
    assert starts(tmp_path, later, 1) == 2
