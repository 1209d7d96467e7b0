"""0; 1 for an error of user or service, 2 for usage, 3 for what is not there: as az has it."""

import pytest

from lazulite.cli.arguments import Arguments
from lazulite.cli.ml_commands import ML

_OF_ONE = ("show", "delete", "archive", "restore", "cancel", "pause", "resume", "download",
           "failed-items", "stream", "get-logs", "get-credentials", "list-keys", "list-nodes",
           "list-jobs")  # fmt: skip
_NEEDED = {"--type": "online"}
ALL = [each for each in ML if each.operation]
OF_ONE = [each for each in ALL if each.name.split()[1] in _OF_ONE]


def typed(command):
    """The command with a value for each option that it needs, and for --name."""
    fields = Arguments.__dataclass_fields__
    words = ["ml", *command.name.split()]
    for name in command.options.split():
        if name.endswith("!") or name == "name":
            words += [fields[name.rstrip("!")].metadata["flags"][0], "nope"]
    return words + (["--yes"] if command.confirm else [])


@pytest.mark.parametrize("command", OF_ONE, ids=lambda each: each.name.replace(" ", "-"))
def test_what_is_not_there_has_exit_code_3(server, lazulite, command):
    code, out, err = lazulite(*typed(command))
    assert (code, out) == (3, ""), err
    assert err.startswith("ERROR: (")


@pytest.mark.parametrize("command", OF_ONE, ids=lambda each: each.name.replace(" ", "-"))
def test_what_the_service_refuses_has_exit_code_1(server, lazulite, command, monkeypatch):
    body = {"error": {"code": "Conflict", "message": "no"}}
    handler = server.RequestHandlerClass
    monkeypatch.setattr(handler, "arm", lambda self, asked: (409, body, {}))
    code, out, err = lazulite(*typed(command))
    assert (code, out) == (1, ""), err


@pytest.mark.parametrize("command", ALL, ids=lambda each: each.name.replace(" ", "-"))
def test_what_cannot_be_read_has_exit_code_2(lazulite, command):
    code, out, _ = lazulite(*typed(command), "--nonsense")
    assert (code, out) == (2, "")
