"""The entry point of the `lazulite` command, on knack: options, --query and -o are those of az."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import sys
import time
import uuid
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
from lazulite.cli import shim
from lazulite.cli.arguments import CONNECTION, SERVER_ONLY, Arguments, arguments_of
from lazulite.cli.autoscale_commands import AUTOSCALE, AUTOSCALE_GROUPS, AutoscaleArguments
from lazulite.cli.az_commands import ALONE, AZ, AZ_GROUPS
from lazulite.cli.commands import CACHE, COLUMNS, GROUPS, ML, SERVE, SERVER, Command
from lazulite.cli.connection import connect, data_directory
from lazulite.cli.errors import FAILED, INTERRUPTED, CommandError
from lazulite.cli.examples import examples, help_text
from lazulite.cli.http import Http
from lazulite.cli.identity_commands import IDENTITY
from lazulite.cli.monitor_arguments import MonitorArguments
from lazulite.cli.monitor_commands import MONITOR, MONITOR_GROUPS
from lazulite.cli.report import Report
from lazulite.cli.storage_access import Storage
from lazulite.cli.storage_arguments import ACCESS, SERVER_OF_ACCOUNTS, StorageArguments
from lazulite.cli.storage_commands import ACCOUNTS, CONTENTS, STORAGE_GROUPS
from lazulite.cli.tokens import Tokens
from lazulite.cli.workspace import Workspace
from lazulite.cli.workspace_commands import WORKSPACE_COLUMNS, WORKSPACE_GROUPS, WORKSPACES
from lazulite.core.errors import LazuliteError
from lazulite.core.settings import Settings, setting_help

LOCAL = "lazulite.local.command"
"""What runs commands with --local; not imported unless it is needed."""
WITH_DATA_DIR = frozenset({"up", "down", "status", "env"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. The arguments default to those of the process."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["az"]:  # so that a command line of az needs one word in front of it
        del given[0]
        shim.pass_on(given, first_words(), os.environ)
    if given[:1] == ["serve"]:
        module, _, function = SERVE.partition("#")
        return int(getattr(import_module(module), function)(given[1:], os.environ))
    cli = make_cli(given)
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
    more = {**WORKSPACE_GROUPS, **AZ_GROUPS, **STORAGE_GROUPS, **MONITOR_GROUPS}
    groups = {**GROUPS, **more, **AUTOSCALE_GROUPS}
    helps.update({name: f"type: group\nshort-summary: {text!r}" for name, text in groups.items()})
    home = data_directory("", os.environ)
    cli = _Lazulite(
        cli_name="lazulite",
        # knack makes this folder if it is missing, which is the server's business.
        config_dir=str(home if home.is_dir() else Path(__file__).parent),
        config_env_var_prefix="LAZULITE_CLI",
        out_file=sys.stdout,
        commands_loader_cls=_Loader,
    )
    cli.is_output_chosen = any(word == "-o" or word.startswith("--output") for word in given)
    cli.only_show_errors = cli.only_show_errors or "--only-show-errors" in given
    return cli


def first_words() -> set[str]:
    """What commands begin with."""
    named = [*SERVER, *CACHE, *IDENTITY, *AZ, *ALONE]
    return {command.name.split()[0] for command in named} | {"ml", "storage", "help"}


Declared = MonitorArguments | AutoscaleArguments
"""Options of commands that have their own."""


class _Lazulite(CLI):  # type: ignore[misc]  # knack has no types
    """knack's application, with our errors and exit codes."""

    exit_code = 0
    """What a command that does its work, and has bad news, ends with."""
    is_output_chosen = False
    """Whether -o was given."""

    def get_cli_version(self) -> str:
        return f"lazulite {lazulite.__version__}"

    def exception_handler(self, error: Exception) -> int:
        """Say what failed on stderr; a stack only for a fault of ours, or with --debug."""
        if isinstance(error, BrokenPipeError):
            _drop_output()
            return 0
        if isinstance(error, LazuliteError):
            print(f"ERROR: ({error.code}) {error.message}", file=sys.stderr)
            return error.exit_code if isinstance(error, CommandError) else FAILED
        if isinstance(error, CLIError):
            print(f"ERROR: {error}", file=sys.stderr)
            return FAILED
        return int(super().exception_handler(error))


class _Loader(CLICommandsLoader):  # type: ignore[misc]
    """The command table, from the values in lazulite.cli.commands."""

    def load_command_table(self, arguments: list[str]) -> Any:
        makers: tuple[tuple[str, tuple[Command, ...], Any], ...] = (
            ("", SERVER, self._server),
            ("ml ", (*ML, *WORKSPACES), self._ml),
            ("", CACHE, functools.partial(self._on_server, connection=CONNECTION)),
            ("", (*IDENTITY, *AZ), functools.partial(self._on_server, connection=SERVER_ONLY)),
            ("", ALONE, self._alone),
            ("", MONITOR, functools.partial(self._declared, declared=MonitorArguments)),
            ("", AUTOSCALE, functools.partial(self._declared, declared=AutoscaleArguments)),
            ("storage ", ACCOUNTS, functools.partial(self._storage, connection=SERVER_OF_ACCOUNTS)),
            ("storage ", CONTENTS, functools.partial(self._storage, connection=ACCESS)),
        )
        for prefix, commands, make in makers:
            for command in commands:
                self.command_table[prefix + command.name] = make(command)
        if not {"-h", "--help"}.isdisjoint(arguments):
            for name, shown in examples(self.command_table).items():
                helps[name] = help_text(shown)
        return super().load_command_table(arguments)

    def load_arguments(self, command: str) -> None:
        for name in [server.name for server in SERVER if server.name in WITH_DATA_DIR]:
            with ArgumentsContext(self, name) as context:
                for field in dataclasses.fields(Settings):
                    if name == "up" or field.name == "data_dir":
                        flag, text = f"--{field.name.replace('_', '-')}", setting_help(field.name)
                        context.extra(field.name, options_list=[flag], help=text)  # noqa: S610
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
        table = functools.partial(rows, _columns(command.name.split()[0]))
        return self._made(command, f"ml {command.name}", _run, options, table)

    def _on_server(self, command: Command, connection: Sequence[str]) -> Any:
        options = functools.partial(arguments_of, command.options, connection)
        return self._made(command, command.name, _run, options, _table(command.name))

    def _alone(self, command: Command) -> Any:
        options = functools.partial(arguments_of, command.options, SERVER_ONLY)
        return self._made(command, command.name, _run_alone, options)

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
            confirmation=command.confirm,
            table_transformer=table,
        )


def _drop_output() -> None:
    """Whoever read it has all they wanted, as `head` has: the rest must not fail at the end."""
    with contextlib.suppress(OSError, ValueError):  # no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _columns(noun: str) -> Sequence[str]:
    return {**COLUMNS, **WORKSPACE_COLUMNS}[noun]


def _table(name: str) -> Any:
    """How `-o table` shows a command's result; None: all of it."""
    return functools.partial(rows, COLUMNS[name]) if name in COLUMNS else None


def rows(columns: Sequence[str], result: Any) -> Any:
    """Columns of the resources in a result, for -o table; any other result as it is."""
    if isinstance(result, list):
        return [rows(columns, item) for item in result]
    if not isinstance(result, dict) or columns[0] not in result:
        return result
    shown = {name: result[name] for name in columns if result.get(name) is not None}
    return {
        name: " ".join(f"{key}={item}" for key, item in value.items())
        if isinstance(value, dict)
        else value
        for name, value in shown.items()
    }


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
    if arguments.local:
        report = Report(quiet=cli.only_show_errors)
        return import_module(LOCAL).run(command.name, arguments, os.environ, report)
    if arguments.debug_port is not None or arguments.vscode_debug:
        raise CommandError(
            "InvalidArgument",
            "--debug-port and --vscode-debug are for --local: a deployment of a server listens for"
            " a debugger if its variable AZUREML_DEBUG_PORT is a port.",
        )
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


def _run_alone(command: Command, cli: CLI, given: Mapping[str, Any]) -> Any:
    """Call the command's function with the arguments; it finds a server itself, if it needs one."""
    arguments, report = Arguments(**_settings(given)), Report(quiet=cli.only_show_errors)
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
    """The workspace that the arguments and the environment point at. Sends nothing yet."""
    connection = connect(
        data_directory(arguments.data_dir, environ),
        environ,
        resource_group=arguments.resource_group,
        workspace=arguments.workspace,
    )
    http = Http(connection.ca_file)
    return Workspace(
        connection=connection,
        http=http,
        tokens=Tokens(connection, http, time.time),
        report=report,
        sleep=time.sleep,
        make_id=lambda: str(uuid.uuid4()),
    )


if __name__ == "__main__":
    sys.exit(main())
