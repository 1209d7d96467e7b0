"""--set and --traffic."""

import pytest

from lazulite.cli.changes import apply, pairs, percentages, steps
from lazulite.cli.errors import CommandError


def test_a_path_has_names_and_indices():
    assert steps("a.b[0].c") == ["a", "b", 0, "c"]


@pytest.mark.parametrize("path", ["a..b", "a[x]", "a]", ".", "[0"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(CommandError):
        steps(path)


def test_values_are_json_where_they_can_be_and_texts_else():
    changed = apply({}, ["a=1", "b=true", "c=null", "d=[1, 2]", "e=1.0.0", "f=x=y"])
    assert changed == {"a": 1, "b": True, "c": None, "d": [1, 2], "e": "1.0.0", "f": "x=y"}


def test_mappings_on_the_way_are_made():
    assert apply({"a": None}, ["a.b.c=1"]) == {"a": {"b": {"c": 1}}}


def test_list_items_are_replaced_and_appended():
    assert apply({"a": [1, 2]}, ["a[0]=9", "a[2]=3"]) == {"a": [9, 2, 3]}


def test_the_original_is_left_alone():
    original = {"a": {"b": 1}}
    apply(original, ["a.b=2"])
    assert original == {"a": {"b": 1}}


@pytest.mark.parametrize("assignment", ["a", "=1", "a[5]=1", "a.b=1", "c[0].d=1"])
def test_a_path_that_leads_nowhere_is_named(assignment):
    with pytest.raises(CommandError, match="--set"):
        apply({"a": [1], "c": {}}, [assignment])


@pytest.mark.parametrize(
    "given",
    [["blue=90 green=10"], ["blue=90", "green=10"], ["blue:90,green:10"], ["blue=90%,green=10"]],
)
def test_traffic_is_read_in_every_form(given):
    assert percentages(given) == {"blue": 90, "green": 10}


def test_traffic_without_a_percent_names_the_form():
    with pytest.raises(CommandError, match="blue=90 green=10"):
        percentages(["blue"])


def test_tags_need_an_equals_sign():
    assert pairs(["a=1", "b=x=y"], "--tags") == {"a": "1", "b": "x=y"}
    with pytest.raises(CommandError, match="--tags 'a'"):
        pairs(["a"], "--tags")
