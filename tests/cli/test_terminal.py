"""Colours, questions and settings, on a real pseudo-terminal where that matters."""

import io
import os
import pty
import subprocess
import sys

import pytest

from lazulite.cli.terminal import confirmed, is_coloured


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"AZURE_CORE_NO_COLOR": "true"}, False),
        ({"AZURE_CORE_NO_COLOR": "false"}, True),
        ({"LAZULITE_CLI_CORE_NO_COLOR": "yes"}, False),
    ],
)
def test_colours_are_for_terminals_whose_owner_wants_them(environ, expected):
    assert is_coloured(Terminal(), environ) is expected
    assert not is_coloured(io.StringIO(), environ)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("what?\ny\n", True), ("", False)],
)
def test_a_question_is_asked_on_stderr_until_it_is_answered(monkeypatch, capsys, typed, expected):
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert confirmed("Delete it?") is expected
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("Delete it? (y/n): ") == max(1, typed.count("\n"))


def test_a_refused_question_changes_nothing(server, lazulite, monkeypatch):
    server.keep("computes/c", {"properties": {}})
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    code, _, err = lazulite("ml", "compute", "delete", "-n", "c")
    assert code == 1
    assert "Operation cancelled" in err
    assert not server.sent("DELETE", "computes/c")


def test_az_settings_of_the_environment_count(server, lazulite, monkeypatch):
    server.keep("computes/c", {"properties": {}})
    monkeypatch.setenv("AZURE_CORE_OUTPUT", "tsv")
    monkeypatch.setenv("AZURE_CORE_DISABLE_CONFIRM_PROMPT", "true")
    assert lazulite("ml", "compute", "list", "--query", "[].name")[1] == "c\n"
    assert lazulite("ml", "compute", "delete", "-n", "c")[0] == 0
    monkeypatch.setenv("LAZULITE_CLI_CORE_OUTPUT", "json")
    assert lazulite("version")[1].startswith("{")


@pytest.mark.parametrize(("environ", "marked"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_an_error_is_red_on_a_terminal(environ, marked):
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "lazulite", "version", "--nonsense"]
    known = {name: value for name, value in os.environ.items() if "NO_COLOR" not in name}
    try:
        done = subprocess.run(line, stderr=theirs, env={**known, **environ}, timeout=120)
        said = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert ("\x1b[91mERROR" in said) is marked


def test_a_full_disk_is_told_without_a_stack(lazulite, monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    code, _, err = lazulite("version")
    assert (code, err) == (1, "ERROR: [Errno 28] No space left on device\n")
