"""$filter and $orderby of run history."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazulite.core.errors import ArmError
from lazulite.dataplane.odata import matcher, ordering

RUN = {
    "runId": "r1",
    "status": "Completed",
    "runNumber": 7,
    "hidden": False,
    "parentRunId": None,
    "createdUtc": "2020-01-03T10:00:00Z",
    "tags": {"colour": "it's red"},
}


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "RunId eq 'r1'",
        "(RunId eq 'r0' or RunId eq 'r1')",
        "status ne 'Failed' and not (status eq 'Running')",
        "tags/Colour eq 'it''s red'",
        "runNumber gt 6 and runNumber le 7.0",
        "hidden eq false",
        "parentRunId eq null and tags/none eq null",
        "createdUtc ge 2020-01-03T00:00:00Z",
        "contains(tags/colour, 'red') and startswith(runId,'R') and endswith(status,'ed')",
        "status eq 'x' or status eq 'y' and status eq 'z' or runId eq 'r1'",
    ],
)
def test_it_matches(text):
    assert matcher(text)(RUN)


@pytest.mark.parametrize(
    "text",
    [
        "RunId eq 'r2'",
        "runId eq null",
        "parentRunId gt 'a'",
        "runNumber eq 8",
        "nothing eq 'x'",
        "tags/colour/deeper eq 'x'",
        "not contains(status, 'plet')",
    ],
)
def test_it_does_not_match(text):
    assert not matcher(text)(RUN)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Status eq", "ends too early"),
        ("Status is 'x'", "'is'"),
        ("Status eq x", "single quotes"),
        ("(Status eq 'x'", "lacks a ')'"),
        ("Status eq 'x' 'y'", "should end"),
        ("Status eq 'x", "cannot be read"),
        ("'x' eq Status", "name of a property"),
        ("(" * 60 + "a eq 1" + ")" * 60, "levels deep"),
        ("a eq '" + "x" * 10_000 + "'", "longer than"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_place(text, told):
    with pytest.raises(ArmError) as refused:
        matcher(text)
    assert refused.value.status == 400
    assert told in refused.value.message


@given(st.text(alphabet="ab '()/,0.-eqandortZ:T", max_size=60))
def test_no_text_breaks_it(text):
    with contextlib.suppress(ArmError):
        assert matcher(text)(RUN) in {True, False}


def test_order_is_by_one_property():
    key, descending = ordering("RunNumber desc", "createdUtc")
    assert descending
    assert key({"runNumber": 9}) < key({"runNumber": 10})
    assert ordering(None, "createdUtc desc")[1]
    with pytest.raises(ArmError):
        ordering("a, b desc", "x")
