"""How many instances a load asks for, poll by poll."""

import pytest

from lazulite.serving.proxy_stats import Load
from lazulite.serving.utilization import Demand, Target

TARGET = Target(least=1, most=5, percent=50, per_instance=2, poll_s=1.0)


def busy(in_flight, queued=0):
    return Load(active=in_flight - queued, queued=queued)


def followed(demand, loads, target=TARGET, current=1, start=0.0):
    """The number of instances after each poll, one a second."""
    seen = []
    for second, load in enumerate(loads):
        current = demand.instances(load, start + second, target, current)
        seen.append(current)
    return seen


@pytest.mark.parametrize(
    ("in_flight", "instances"), [(0, 0), (1, 1), (2, 2), (3, 3), (4.1, 5), (100, 100)]
)
def test_instances_are_requests_by_the_share_that_is_aimed_at(in_flight, instances):
    assert TARGET.instances(in_flight) == instances


def test_a_queue_is_answered_at_once_and_never_above_the_most():
    assert followed(Demand(0.0), [busy(0), busy(4, queued=2)]) == [1, 4]
    assert followed(Demand(0.0), [busy(0), busy(40, queued=38)]) == [1, 5]


def test_one_busy_moment_without_a_queue_is_not_a_load():
    assert followed(Demand(0.0), [busy(0)] * 4 + [busy(2)] + [busy(0)] * 3) == [1] * 8


def test_a_lasting_load_is_followed_without_a_queue():
    assert followed(Demand(0.0), [busy(2)] * 5) == [2] * 5


def test_less_is_enough_only_after_a_quiet_while():
    demand = Demand(0.0)
    seen = followed(demand, [busy(4, 1)] + [busy(0)] * 60)
    assert seen[0] == 4
    assert seen[30] == 4
    assert seen[-1] == 1
    assert seen == sorted(seen, reverse=True)


def test_what_was_before_the_server_started_counts_as_busy():
    assert followed(Demand(0.0), [busy(0)] * 29, current=5) == [5] * 29
    assert followed(Demand(0.0), [busy(0)] * 32, current=5)[-1] == 1


def test_none_at_all_only_where_that_is_allowed_and_a_waker_counts():
    target = Target(least=0, most=2, percent=70, per_instance=1, poll_s=1.0)
    demand = Demand(0.0)
    assert followed(demand, [busy(0)] * 32, target)[-1] == 0
    demand.want(32.0, 1)
    assert demand.instances(None, 32.1, target, 0) == 1
    assert followed(demand, [busy(0)] * 40, target, current=1, start=33.0)[25] == 1
    assert followed(Demand(0.0), [busy(0)] * 40)[-1] == 1


def test_a_load_that_is_not_known_changes_nothing():
    assert followed(Demand(0.0), [None] * 60, current=3) == [3] * 60
    assert followed(Demand(0.0), [None] * 60, current=9) == [5] * 60


def test_polls_come_no_faster_than_the_interval():
    demand = Demand(0.0)
    for tenth in range(11):
        demand.instances(busy(0), tenth / 10, TARGET, 1)
    assert demand.instances(busy(9), 1.1, TARGET, 1) == 1
