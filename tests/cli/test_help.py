"""Every command's help has an example, and every example is a line that the command takes."""

import shlex

import pytest

from lazulite.cli.az_commands import ALONE, AZ
from lazulite.cli.commands import CACHE, SERVER
from lazulite.cli.examples import examples
from lazulite.cli.identity_commands import IDENTITY
from lazulite.cli.main import main, make_cli
from lazulite.cli.ml_commands import ML
from lazulite.cli.storage_commands import ACCOUNTS, CONTENTS
from lazulite.cli.usage import named_alone

NAMES = [
    *(each.name for each in (*SERVER, *CACHE, *IDENTITY, *AZ, *ALONE)),
    *(f"ml {each.name}" for each in ML),
    *(f"storage {each.name}" for each in (*ACCOUNTS, *CONTENTS)),
]
EXAMPLES = examples(NAMES)
LINES = [line for shown in EXAMPLES.values() for _, line in shown]


@pytest.fixture(scope="module")
def parser():
    """What reads command lines, with all commands and their options."""
    cli = make_cli(["-h"])
    invoker = cli.invocation_cls(
        cli_ctx=cli, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    cli.invocation = invoker
    for name in invoker.commands_loader.load_command_table(["-h"]):
        invoker.data["command_string"] = name
        invoker.commands_loader.load_arguments(name)
    invoker.parser.load_command_table(invoker.commands_loader)
    return invoker.parser


def test_every_command_has_an_example():
    assert sorted(set(NAMES) - set(EXAMPLES)) == []


@pytest.mark.parametrize("name", [each for each in NAMES if each != "serve"])
def test_help_shows_the_example(parser, name, capsys):
    with pytest.raises(SystemExit) as left:
        parser.parse_args([*name.split(), "-h"])
    shown = "".join(capsys.readouterr().out.split())
    assert left.value.code == 0
    assert "".join(EXAMPLES[name][0][1].split()) in shown


@pytest.mark.parametrize("line", [each for each in LINES if not each.startswith("lazulite serve")])
def test_an_example_is_a_line_that_the_command_takes(parser, line):
    read = parser.parse_args(shlex.split(line)[1:])
    assert line.startswith(f"lazulite {read.command}")


def test_the_help_of_a_command_is_reached_from_outside(capsys):
    with pytest.raises(SystemExit) as left:
        main(["az", "ml", "online-endpoint", "invoke", "-h"])
    assert left.value.code == 0
    assert "lazulite ml online-endpoint invoke -n greeter" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["serve", "-h"])
    assert "Example: lazulite serve" in capsys.readouterr().out


def test_every_group_has_an_example(lazulite):
    for words in ((), ("ml",), ("ml", "online-endpoint"), ("monitor", "metrics"), ("storage",)):
        assert "Examples" in lazulite(*words, "-h")[1], words


def test_the_word_help_may_come_first(lazulite):
    assert "lazulite ml compute : Clusters" in lazulite("help", "ml", "compute")[1]


def test_one_command_is_loaded_where_one_is_named():
    table = dict.fromkeys(["ml compute list", "ml compute show", "environment list"])
    assert list(named_alone(table, ["ML", "compute", "list", "-o", "x"])) == ["ml compute list"]
    assert named_alone(table, ["ml", "compute", "lst"]) == table
    assert named_alone(table, ["-h"]) == table
