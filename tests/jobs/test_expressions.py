"""${{...}} in commands."""

import pytest

from lazulite.core.errors import SpecError
from lazulite.jobs.expressions import resolve

VALUES = {"inputs": {"lr": "0.1", "data": "/d/x", "none": None}, "outputs": {"out": "/o"}}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python a.py --lr ${{inputs.lr}}", "python a.py --lr 0.1"),
        ("a ${{ inputs.data }}/f ${{outputs.out}}", "a /d/x/f /o"),
        ("echo $HOME ${PATH} $$ {{x}}", "echo $HOME ${PATH} $$ {{x}}"),
        ("a $[[--lr ${{inputs.lr}}]] b", "a --lr 0.1 b"),
        ("a $[[--n ${{inputs.none}}]] b", "a  b"),
    ],
)
def test_names_become_their_values_and_the_rest_stays(command, expected):
    assert resolve(command, VALUES) == expected


@pytest.mark.parametrize(
    "command",
    ["${{inputs.nope}}", "${{inputs.none}}", "${{7*7}}", "${{inputs.__class__}}", "${{search.lr}}"],
)
def test_anything_else_is_an_error_that_names_what_there_is(command):
    with pytest.raises(SpecError, match=r"inputs\.lr, inputs\.data"):
        resolve(command, VALUES)


def test_a_value_is_not_looked_at_again():
    assert resolve("${{inputs.a}}", {"inputs": {"a": "${{inputs.a}}"}, "outputs": {}}) == (
        "${{inputs.a}}"
    )
