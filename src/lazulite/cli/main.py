"""The entry point of the `lazulite` command, on knack: options, --query and -o are those of az."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from knack import CLI, ArgumentsContext
from knack.arguments import CLICommandArgument
from knack.commands import CLICommandsLoader
from knack.help_files import helps
from knack.util import CLIError

import lazulite
from lazulite.cli import account, shim
from lazulite.cli.arguments import CONNECTION, IN_SUBSCRIPTION, SERVER_ONLY, Arguments, arguments_of
from lazulite.cli.autoscale_commands import AUTOSCALE, AUTOSCALE_GROUPS, AutoscaleArguments
from lazulite.cli.az_commands import ALONE, AZ, AZ_GROUPS
from lazulite.cli.client_commands import CLIENT_GROUPS, CLIENTS, ClientArguments
from lazulite.cli.commands import CACHE, COLUMNS, GROUPS, SERVE, SERVER, Command
from lazulite.cli.connection import connect, data_directory
from lazulite.cli.errors import FAILED, INTERRUPTED, CommandError
from lazulite.cli.examples import ALL, examples, group_helps, help_text
from lazulite.cli.identity_commands import IDENTITY
from lazulite.cli.ml_commands import ML, ML_COLUMNS, ML_GROUPS
from lazulite.cli.monitor_arguments import MonitorArguments
from lazulite.cli.monitor_commands import MONITOR, MONITOR_GROUPS
from lazulite.cli.refusals import refuse_options, refuse_words
from lazulite.cli.report import Report
from lazulite.cli.storage_access import Storage
from lazulite.cli.storage_arguments import ACCESS, SERVER_OF_ACCOUNTS, StorageArguments
from lazulite.cli.storage_commands import ACCOUNTS, CONTENTS, STORAGE_GROUPS
from lazulite.cli.tables import columns_of, rows
from lazulite.cli.terminal import Configuration, confirmed, is_coloured, say_error
from lazulite.cli.traces import flags_last, hide_secrets, tell_where
from lazulite.cli.usage import Parser, named_alone
from lazulite.cli.workspace import Workspace
from lazulite.core.errors import LazuliteError
from lazulite.core.settings import Settings, setting_help

LOCAL = "lazulite.local.command"
"""What runs commands with --local; not imported unless it is needed."""
_GROUPS = {
    **GROUPS,
    **ML_GROUPS,
    **AZ_GROUPS,
    **STORAGE_GROUPS,
    **MONITOR_GROUPS,
    **AUTOSCALE_GROUPS,
    **CLIENT_GROUPS,
    ALL: "Azure Machine Learning on your own machine.",
}
WITH_DATA_DIR = frozenset({"up", "down", "status", "env"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. The arguments default to those of the process."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["az"]:  # so that a command line of az needs one word in front of it
        del given[0]
        shim.pass_on(given, first_words(), os.environ)
    if given[:1] == ["help"]:
        given = [*given[1:], "--help"]
    given = flags_last(given)
    hide_secrets()
    if given[:1] == ["serve"]:
        module, _, function = SERVE.partition("#")
        return int(getattr(import_module(module), function)(given[1:], os.environ))
    cli = make_cli(given)
    try:
        refuse_words(given)
    except CommandError as error:
        return cli.exception_handler(error)
    try:
        code = int(cli.invoke(given) or cli.exit_code)
        if cli.result and isinstance(cli.result.error, KeyboardInterrupt):
            return INTERRUPTED
        sys.stdout.flush()
    except BrokenPipeError as error:
        return cli.exception_handler(error)
    return code


def make_cli(given: Sequence[str]) -> _Lazulite:
    """Knack's application for a command line; nothing of it is run yet."""
    helps.update(group_helps(_GROUPS, {}))
    home = data_directory("", os.environ)
    cli = _Lazulite(
        cli_name="lazulite",
        # knack makes this folder if it is missing, which is the server's business.
        config_dir=str(home if home.is_dir() else Path(__file__).parent),
        config_env_var_prefix="LAZULITE_CLI",
        out_file=sys.stdout,
        commands_loader_cls=_Loader,
        config_cls=Configuration,
        parser_cls=Parser,
    )
    cli.is_output_chosen = any(word == "-o" or word.startswith("--output") for word in given)
    cli.only_show_errors = cli.only_show_errors or "--only-show-errors" in given
    return cli


def first_words() -> set[str]:
    """What commands begin with."""
    named = [*SERVER, *CACHE, *IDENTITY, *AZ, *ALONE, *CLIENTS]
    return {command.name.split()[0] for command in named} | {"ml", "storage", "help"}


Alone = Arguments | ClientArguments
"""Options of commands that find a server themselves."""
Declared = MonitorArguments | AutoscaleArguments
"""Options of commands that have their own."""


class _Lazulite(CLI):  # type: ignore[misc]  # knack has no types
    """knack's application, with our errors and exit codes."""

    exit_code = 0
    """What a command that does its work, and has bad news, ends with."""
    is_output_chosen = False
    """Whether -o was given."""

    def _should_enable_color(self) -> bool:
        """Knack's question; of its own rule only a terminal is asked for."""
        return is_coloured(sys.stdout, os.environ) and is_coloured(sys.stderr, os.environ)

    def get_cli_version(self) -> str:
        return f"lazulite {lazulite.__version__}"

    def exception_handler(self, error: Exception) -> int:
        """Say what failed on stderr; a stack only for a fault of ours, or with --debug."""
        if isinstance(error, BrokenPipeError):
            _drop_output()
            return 0
        if isinstance(error, LazuliteError):
            say_error(f"({error.code}) {error.message}")
            return error.exit_code if isinstance(error, CommandError) else FAILED
        if isinstance(error, (CLIError, OSError)):  # such as a full disk
            say_error(str(error))
            return FAILED
        return int(super().exception_handler(error))


class _Loader(CLICommandsLoader):  # type: ignore[misc]
    """The command table, from the values in lazulite.cli.commands."""

    def load_command_table(self, arguments: list[str]) -> Any:
        makers: tuple[tuple[str, tuple[Command, ...], Any], ...] = (
            ("", SERVER, self._server),
            ("ml ", ML, self._ml),
            ("", CACHE, functools.partial(self._on_server, connection=CONNECTION)),
            ("", IDENTITY, functools.partial(self._on_server, connection=SERVER_ONLY)),
            ("", AZ, functools.partial(self._on_server, connection=IN_SUBSCRIPTION)),
            ("", ALONE, functools.partial(self._alone, declared=Arguments)),
            ("", CLIENTS, functools.partial(self._alone, declared=ClientArguments)),
            ("", MONITOR, functools.partial(self._declared, declared=MonitorArguments)),
            ("", AUTOSCALE, functools.partial(self._declared, declared=AutoscaleArguments)),
            ("storage ", ACCOUNTS, functools.partial(self._storage, connection=SERVER_OF_ACCOUNTS)),
            ("storage ", CONTENTS, functools.partial(self._storage, connection=ACCESS)),
        )
        table = {
            prefix + command.name: make(command)
            for prefix, commands, make in makers
            for command in commands
        }
        is_completed = self.cli_ctx.data["completer_active"]
        self.command_table: dict[str, Any] = (
            table if is_completed else named_alone(table, arguments)
        )
        if not {"-h", "--help"}.isdisjoint(arguments):
            shown = examples(self.command_table)
            helps.update({name: help_text(each) for name, each in shown.items()})
            helps.update(group_helps(_GROUPS, shown))
        return super().load_command_table(arguments)

    def load_arguments(self, command: str) -> None:
        for name in [server.name for server in SERVER if server.name in WITH_DATA_DIR]:
            with ArgumentsContext(self, name) as context:
                for field in dataclasses.fields(Settings):
                    if name == "up" or field.name == "data_dir":
                        flag, text = f"--{field.name.replace('_', '-')}", setting_help(field.name)
                        context.extra(field.name, options_list=[flag], help=text)  # noqa: S610
        with ArgumentsContext(self, "env") as context:
            text = "bash, fish or powershell: for which shell. zsh reads that of bash."
            context.argument("shell", options_list=["--shell"], help=text)
        with ArgumentsContext(self, "extension") as context:
            context.argument("name", options_list=["--name", "-n"], help="Name of the extension.")
        for name in ("extension", "upgrade"):
            with ArgumentsContext(self, name) as context:
                context.argument("yes", options_list=["--yes", "-y"], help="Do not ask.")
        super().load_arguments(command)

    def _server(self, command: Command) -> Any:
        if command.name == "doctor":
            return self._diagnosis(command)
        made = self.create_command(command.name, command.operation, description=command.summary)
        made.description = command.summary
        return made

    def _diagnosis(self, command: Command) -> Any:
        return self._made(command, command.name, _diagnose, _diagnosis_arguments)

    def _ml(self, command: Command) -> Any:
        options = functools.partial(arguments_of, command.options)
        name = f"ml {command.name}"
        return self._made(command, name, _run, options, _table(name))

    def _on_server(self, command: Command, connection: Sequence[str]) -> Any:
        options = functools.partial(arguments_of, command.options, connection)
        return self._made(command, command.name, _run, options, _table(command.name))

    def _alone(self, command: Command, declared: type[Alone]) -> Any:
        options = functools.partial(arguments_of, command.options, SERVER_ONLY, declared=declared)
        return self._made(command, command.name, functools.partial(_run_alone, declared), options)

    def _declared(self, command: Command, declared: type[Declared]) -> Any:
        """A command with options of its own."""
        options = functools.partial(arguments_of, command.options, CONNECTION, declared=declared)
        run = functools.partial(_run_declared, declared)
        return self._made(command, command.name, run, options, _table(command.name))

    def _storage(self, command: Command, connection: Sequence[str]) -> Any:
        name = f"storage {command.name}"
        options = functools.partial(
            arguments_of, command.options, connection, declared=StorageArguments
        )
        return self._made(command, name, _run_storage, options, _table(name))

    def _made(self, command: Command, name: str, run: Any, options: Any, table: Any = None) -> Any:
        """Knack's command. run: is called with the command, the application and the options."""
        return self.command_cls(
            self.cli_ctx,
            name,
            functools.partial(run, command, self.cli_ctx),
            description=command.summary,
            arguments_loader=options,
            confirmation=command.confirm and (lambda given: confirmed(str(command.confirm))),
            table_transformer=table,
        )


def _drop_output() -> None:
    """Whoever read it has all they wanted, as `head` has: the rest must not fail at the end."""
    with contextlib.suppress(OSError, ValueError):  # no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _table(name: str) -> Any:
    """How `-o table` shows a command's result; None: all of it."""
    columns = columns_of(name, {**COLUMNS, **ML_COLUMNS})
    return functools.partial(rows, columns) if columns else None


def _diagnosis_arguments() -> list[tuple[str, CLICommandArgument]]:
    text = "YAML file of a deployment to look at; without one, the machine is looked at."
    folder = CLICommandArgument(
        "data_dir", options_list=["--data-dir"], default=None, help=setting_help("data_dir")
    )
    file = CLICommandArgument("file", nargs="?", metavar="FILE", help=text)
    file.type.settings["options_list"] = []  # a positional one
    return [("file", file), ("data_dir", folder)]


def _diagnose(command: Command, cli: _Lazulite, given: Mapping[str, Any]) -> Any:
    """The findings as lines, or as `-o` asks; what is needed and missing fails the command."""
    module, function = command.operation.split("#")
    findings = getattr(import_module(module), function)(environ=os.environ, **given)
    lacking = [each for each in findings if each["is_needed"] and each["status"] == "missing"]
    cli.exit_code = FAILED if lacking else 0
    if cli.is_output_chosen:
        return findings
    for found in findings:
        print(_line(found))
    return None


def _line(found: Mapping[str, Any]) -> str:
    """A finding for a terminal; below it, what it takes unless all is well."""
    head = f"{found['status']:<8} {found['check']:<12} {found['found']}"
    need = f"Needed for {found['purpose']}." if found["purpose"] else ""
    more = " ".join(part for part in (need, found["remedy"]) if part)
    return head if found["status"] == "ok" or not more else f"{head}\n{'':<21} {more}"


def _run(command: Command, cli: CLI, given: Mapping[str, Any]) -> Any:
    """Call the command's function with a workspace and the arguments."""
    arguments = Arguments(**_settings(given))
    refuse_options(arguments)
    if arguments.local:
        report = Report(quiet=cli.only_show_errors)
        return import_module(LOCAL).run(command.name, arguments, os.environ, report)
    if arguments.debug_port is not None or arguments.vscode_debug:
        raise CommandError(
            "InvalidArgument",
            "--debug-port and --vscode-debug are for --local: a deployment of a server listens for"
            " a debugger if its variable AZUREML_DEBUG_PORT is a port.",
        )
    if arguments.web and not command.name.startswith("job "):
        Report(quiet=cli.only_show_errors).note("There is no page of it: this is what is known.")
    return _with_workspace(command, cli, arguments)


def _run_declared(
    declared: type[Declared], command: Command, cli: CLI, given: Mapping[str, Any]
) -> Any:
    """The same for a command that has options of its own."""
    return _with_workspace(command, cli, declared(**_settings(given)))


def _with_workspace(command: Command, cli: CLI, arguments: Arguments | Declared) -> Any:
    workspace = open_workspace(arguments, os.environ, Report(quiet=cli.only_show_errors))
    try:
        return _function(command)(workspace, arguments)
    finally:
        workspace.http.close()


def _run_alone(declared: type[Alone], command: Command, cli: CLI, given: Mapping[str, Any]) -> Any:
    """Call the command's function with the arguments; it finds a server itself, if it needs one."""
    arguments, report = declared(**_settings(given)), Report(quiet=cli.only_show_errors)
    return _function(command)(arguments, os.environ, report)


def _run_storage(command: Command, cli: CLI, given: Mapping[str, Any]) -> Any:
    """Call the command's function with what it needs to find its account."""
    arguments, report = StorageArguments(**_settings(given)), Report(quiet=cli.only_show_errors)
    opening = functools.partial(open_workspace, arguments, os.environ, report)
    storage = Storage(arguments, os.environ, report, opening)
    try:
        return _function(command)(storage, arguments)
    finally:
        storage.close()


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(item) if isinstance(item, list) else item for name, item in given.items()}


def _function(command: Command) -> Any:
    module, function = command.operation.split("#")
    return getattr(import_module(f"lazulite.cli.{module}"), function)


def open_workspace(
    arguments: Arguments | StorageArguments | Declared,
    environ: Mapping[str, str],
    report: Report,
) -> Workspace:
    """The workspace that the arguments and the environment point at.

    Sends nothing yet, unless --subscription is a name.
    """
    connection = connect(
        data_directory(arguments.data_dir, environ),
        environ,
        resource_group=arguments.resource_group,
        workspace=arguments.workspace,
    )
    tell_where(connection)
    opened = Workspace.over(connection, report)
    if not arguments.subscription_id:
        return opened
    with contextlib.ExitStack() as failed:
        failed.callback(opened.http.close)
        found = account.in_subscription(opened, arguments.subscription_id)
        failed.pop_all()
    return found


if __name__ == "__main__":
    sys.exit(main())
