import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazulite.batch.shares import Demand, fair_shares


def demands(**nodes):
    return [Demand(job=job, nodes=count) for job, count in nodes.items()]


@pytest.mark.parametrize(
    ("asked", "most", "expected"),
    [
        ({"large": 4, "small": 1}, 4, {"large": 3, "small": 1}),
        ({"small": 1, "large": 4}, 4, {"small": 1, "large": 3}),
        ({"a": 3, "b": 3}, 3, {"a": 2, "b": 1}),
        ({"a": 1, "b": 1}, 9, {"a": 1, "b": 1}),
        ({"a": 2, "b": 2, "c": 2}, 2, {"a": 1, "b": 1}),
        ({}, 3, {}),
    ],
)
def test_each_has_one_before_any_has_two(asked, most, expected):
    assert fair_shares(demands(**asked), set(), most) == expected


def test_who_has_a_node_keeps_one_though_an_earlier_job_has_come_forward():
    assert fair_shares(demands(first=1, second=1), {"second"}, 1) == {"second": 1}


@given(st.lists(st.integers(1, 6), max_size=8), st.integers(1, 9), st.data())
def test_no_node_is_left_over_while_somebody_wants_one(asked, most, data):
    wanted = [Demand(job=str(place), nodes=nodes) for place, nodes in enumerate(asked)]
    jobs = [demand.job for demand in wanted]
    holders = data.draw(st.sets(st.sampled_from(jobs), max_size=most)) if jobs else set()
    shares = fair_shares(wanted, holders, most)
    assert sum(shares.values()) == min(most, sum(asked))
    assert all(1 <= shares[demand.job] <= demand.nodes for demand in wanted if demand.job in shares)
    assert holders <= shares.keys()
