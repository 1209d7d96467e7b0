"""Command lines that cannot be read: what is wrong, the nearest word, where to look."""

import pytest


def told(lazulite, line):
    code, out, err = lazulite(*line.split())
    assert (code, out) == (2, "")
    assert "usage:" not in err
    return err.splitlines()


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("ml online-deployment shw", "`lazulite ml online-deployment show`"),
        ("ml onlne-endpoint list", "`lazulite ml online-endpoint`"),
        ("online-endpoint list", "`lazulite ml online-endpoint`"),
        ("az ml comput list", "`lazulite ml compute`"),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest(lazulite, line, meant):
    first, near, where = told(lazulite, line)
    assert "is not in the 'lazulite" in first
    assert meant in near
    assert where.startswith("See `lazulite")


def test_a_word_like_no_other_is_answered_without_a_guess(lazulite):
    assert told(lazulite, "qqqqqqq") == [
        "ERROR: lazulite: 'qqqqqqq' is not in the 'lazulite' command group.",
        "See `lazulite -h`.",
    ]


def test_required_options_are_named_as_az_does(lazulite):
    first, where = told(lazulite, "ml online-deployment show")
    assert "the following arguments are required: --name/-n, --endpoint-name/-e." in first
    assert where == "See `lazulite ml online-deployment show -h`."


@pytest.mark.parametrize("line", ["ml compute show --nmae c", "ml compute list --nme c"])
def test_an_unknown_option_is_answered_with_the_nearest(lazulite, line):
    assert "There is no option --n" in told(lazulite, line)[1]


def test_the_nearest_option_is_told(lazulite):
    _, near, _ = told(lazulite, "ml compute list --max-reslts 3")
    assert near == "There is no option --max-reslts. Did you mean --max-results?"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ml compute list --query [", "argument --query: '[' is not a JMESPath expression."),
        ("ml compute list -r x", "argument --max-results/-r: 'x' is not a whole number."),
        ("environment prune --max-size x", "argument --max-size: 'x' is not a number."),
        ("ml compute list -o tabel", "'tabel' is not a valid value for --output/-o."),
        ("ml compute show -n", "argument --name/-n: expected one argument."),
        ("ml compute", "one of the group's commands has to follow."),
    ],
)
def test_what_is_wrong_is_told_in_a_line(lazulite, line, said):
    assert told(lazulite, line)[0].endswith(said)


def test_a_group_alone_names_its_commands(lazulite):
    assert "create, show, list" in told(lazulite, "ml compute")[1]
