"""Words and options of az that have nothing behind them here: named, each with a way out."""

import pytest

from lazulite.cli.ml_commands import ML
from lazulite.cli.refusals import WORDS


@pytest.mark.parametrize("words", sorted(WORDS))
def test_a_word_is_refused_by_name_whatever_follows(lazulite, words):
    code, _, err = lazulite(*words.split(), "list", "--registry-name", "x")
    assert code == 1
    assert f"`{words}` is not supported by this server: {WORDS[words]}." in err


def test_a_refused_word_is_no_command():
    names = {f"ml {each.name}" for each in ML}
    assert not names & set(WORDS)
    assert not [name for name in names for words in WORDS if name.startswith(f"{words} ")]


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("ml model show -n m --registry-name azureml", "--registry-name"),
        ("ml compute create -n c --vnet-name v --subnet s", "--vnet-name"),
        ("ml online-deployment create -f f.yml --package-model", "--package-model"),
    ],
)
def test_an_option_is_refused_by_name(lazulite, line, option):
    code, _, err = lazulite(*line.split())
    assert code == 1
    assert f"`{option}` is not supported by this server: " in err


def test_another_word_is_not_refused(server, lazulite):
    server.keep("computes/registry", {"properties": {}})
    assert lazulite("ml", "compute", "show", "-n", "registry")[0] == 0
