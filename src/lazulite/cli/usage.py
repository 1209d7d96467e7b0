"""What is said of a command line that cannot be read: the rule, the nearest word, where to look."""

from __future__ import annotations

import argparse
import difflib
import itertools
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from knack.parser import CLICommandParser

from lazulite.cli.terminal import say_error

USAGE = 2
"""The exit code, as az has it."""
_COMMANDS = frozenset({"_command", "_subcommand"})
_KINDS = {"int": "a whole number", "float": "a number", "jmespath_type": "a JMESPath expression"}
_UNREADABLE = re.compile(r"argument (?P<option>\S+): invalid (?P<kind>\w+) value: (?P<value>.*)")


def named_alone(commands: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """The command that the words begin with, alone; all commands if they name none.

    Parsers of commands that nobody asked for would take a third of a short command's time.
    """
    path = [word.lower() for word in itertools.takewhile(lambda word: word[:1] != "-", words)]
    names = (" ".join(path[:count]) for count in range(len(path), 0, -1))
    name = next((each for each in names if each in commands), None)
    return {name: commands[name]} if name else dict(commands)


class Parser(CLICommandParser):  # type: ignore[misc]  # knack has no types
    """knack's parser; a mistake takes a line or three, not the whole usage."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What the words mean; ends the process with 2 and the reason if they mean nothing."""
        self._expand_prefixed_files(args)
        self.cli_ctx.data["words"] = tuple(args)
        found, left = self.parse_known_args(args, namespace)
        if left:
            parser: Any = getattr(found, "_parser", self)
            parser.error(f"unrecognized arguments: {' '.join(left)}")
        return found

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the options and where they are explained."""
        if any(f"required: {name}" in message for name in _COMMANDS):
            message = "one of the group's commands has to follow"
            hints = [f"They are: {', '.join(self._commands())}."]
        else:
            hints = list(self._instead())
        say_error(f"{self.prog}: {_readable(message)}", *hints, f"See `{self.prog} -h`.")
        sys.exit(USAGE)

    def validation_error(self, message: str) -> NoReturn:
        """The same for what knack itself finds out."""
        self.error(message)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        if action.dest in _COMMANDS:
            told = f"{self.prog}: {value!r} is not in the {self.prog!r} command group."
            say_error(told, *_nearest(value, self._names()), f"See `{self.prog} -h`.")
        else:
            name = "/".join(action.option_strings) or action.dest
            told = f"{self.prog}: {value!r} is not a valid value for {name}."
            say_error(told, f"Allowed values: {', '.join(map(str, action.choices))}")
        sys.exit(USAGE)

    def _commands(self) -> list[str]:
        """The words that may follow."""
        actions = (each for each in self._actions if each.dest in _COMMANDS)
        return [str(word) for action in actions for word in action.choices or ()]

    def _names(self) -> dict[str, str]:
        """The same, each with the whole command; for the root those of `ml` without that word."""
        below = self.subparsers.get(("ml",))
        inner = {word: f"{self.prog} ml {word}" for word in below.choices} if below else {}
        return {**inner, **{word: f"{self.prog} {word}" for word in self._commands()}}

    def _instead(self) -> Iterable[str]:
        """The nearest option to each that is none."""
        options = self._option_string_actions
        words: Sequence[str] = (self.cli_ctx and self.cli_ctx.data["words"]) or ()
        for word in (each.partition("=")[0] for each in words if each.startswith("--")):
            if len(word) > 2 and not any(option.startswith(word) for option in options):
                near = difflib.get_close_matches(word, options, n=1, cutoff=0.5)
                yield f"There is no option {word}." + (f" Did you mean {near[0]}?" if near else "")


def _nearest(value: str, names: dict[str, str]) -> Collection[str]:
    near = [value] if value in names else difflib.get_close_matches(value, names, n=3)
    listed = [f"`{names[word]}`" for word in near]
    return [f"Did you mean {' or '.join(listed)}?"] if listed else []


def _readable(message: str) -> str:
    """Argparse's message without names of Python's."""
    found = _UNREADABLE.fullmatch(message)
    if not found:
        return f"{message}."
    kind = _KINDS.get(found["kind"], "a value that it takes")
    return f"argument {found['option']}: {found['value']} is not {kind}."
