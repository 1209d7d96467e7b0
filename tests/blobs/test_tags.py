"""Expressions over tags, and the rules of tags."""

from __future__ import annotations

import pytest

from lazulite.blobs.errors import BlobError
from lazulite.blobs.tags import checked_tags, parse_expression, tags_of_header

TAGS = {"project": "x y", "stage": "2", "@container": "files"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\"project\" = 'x y'", True),
        ("project='x y' and stage > '1'", True),
        ("project='x y' AND stage > '2'", False),
        ("project='n' OR stage >= '2'", True),
        ("project='n' OR stage >= '2' AND stage < '2'", False),
        ("missing <> 'x'", True),
        ("missing > ''", False),
        ("@container = 'files' AND stage <= '2'", True),
    ],
)
def test_expressions(text, expected):
    assert parse_expression(text, "InvalidHeaderValue")(TAGS) is expected


@pytest.mark.parametrize(
    "text",
    ["", "a", "a =", "a = b", "'a' = 'b'", "a = 'b' AND", "(a = 'b')", "a = 'b' c = 'd'",
     "a == 'b'", "a = 'b", "a = 'x'; --", "(" * 5000, "a = 'b'" + " AND a = 'b'" * 2000],
)  # fmt: skip
def test_what_is_no_expression_is_refused_with_the_code_of_its_place(text):
    with pytest.raises(BlobError) as refused:
        parse_expression(text, "InvalidHeaderValue")
    assert refused.value.code == "InvalidHeaderValue"


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([(str(n), "v") for n in range(11)], "TagsTooLarge"),
        ([("k" * 129, "v")], "TagsTooLarge"),
        ([("k", "v" * 257)], "TagsTooLarge"),
        ([("", "v")], "InvalidTag"),
        ([("k", "v"), ("k", "w")], "InvalidTag"),
        ([("k<", "v")], "InvalidTag"),
        ([("k", "v\n")], "InvalidTag"),
        ([("k", "ü")], "InvalidTag"),
    ],
)
def test_tags_keep_to_the_rules(pairs, code):
    with pytest.raises(BlobError) as refused:
        checked_tags(pairs)
    assert refused.value.code == code


def test_tags_in_a_header_are_a_form():
    assert tags_of_header("a%20b=1%2B2&c=") == {"a b": "1+2", "c": ""}
