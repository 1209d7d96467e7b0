"""`az-register`: the real Azure CLI on this server, with settings of its own.

Source: spec/CLIENTS.md 12.1.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from lazulite.cli.client_commands import ClientArguments
from lazulite.cli.connection import Connection, connect, data_directory, read_server
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report
from lazulite.cli.shim import real_az
from lazulite.core.clouds import CLOUD
from lazulite.core.shells import shell_lines

SETTINGS = ("core.instance_discovery=false", "core.collect_telemetry=false")
"""az shall ask Microsoft neither who the server is, nor tell it what was typed."""
_METADATA = "ARM_CLOUD_METADATA_URL"


def register(arguments: ClientArguments, environ: Mapping[str, str], report: Report) -> None:
    """Set az up in a folder of its own, and print the lines that have a shell use it.

    A second call brings it up to date, such as after the server has got another port. Raises
    CommandError if there is no az, or with az's words if it fails.
    """
    program = _program(environ)
    data_dir = data_directory(arguments.data_dir, environ)
    connection = connect(data_dir, environ)
    folder = Path(arguments.folder).expanduser() if arguments.folder else data_dir / "az"
    printed = {"AZURE_CONFIG_DIR": str(folder.resolve()), **_trusted(connection, environ)}
    lines = shell_lines(printed, arguments.shell)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    az = Az(program, {**_without(environ, _METADATA), **printed})
    for step, said in steps(connection, is_known=CLOUD in _clouds(az)):
        az.run(step, said)
    print("\n".join(lines))
    report.note(_told(connection))


def steps(connection: Connection, *, is_known: bool) -> list[tuple[list[str], str]]:
    """The commands of az, each with what it reads from stdin."""
    verb = "update" if is_known else "register"
    url = connection.url
    suffix = f"core.{urlsplit(url).netloc}"  # the SDK finds an account's name before ".blob.core."
    endpoints = ["--endpoint-resource-manager", url, "--endpoint-active-directory", url]
    principal = ["-u", connection.client_id, "-p", "@-", "--tenant", connection.tenant_id]
    return [
        (["cloud", verb, "-n", CLOUD, *endpoints, "--suffix-storage-endpoint", suffix], ""),
        (["cloud", "set", "-n", CLOUD], ""),
        (["config", "set", *SETTINGS], ""),
        (["login", "--service-principal", *principal], connection.client_secret),
    ]


class Az:
    """The program, in an environment."""

    def __init__(self, program: Path, environ: Mapping[str, str]) -> None:
        self._program, self._environ = program, dict(environ)

    def run(self, words: Sequence[str], said: str = "") -> str:
        """What it printed. said: its standard input. Raises CommandError with its words."""
        command = [str(self._program), *words, "--only-show-errors", "-o", "json"]
        ran = subprocess.run(
            command, input=said, env=self._environ, capture_output=True, text=True, check=False
        )
        if ran.returncode != 0:
            reason = ran.stderr.strip() or f"exit code {ran.returncode}"
            raise CommandError("AzFailed", f"`az {' '.join(words)}` failed: {reason}")
        return ran.stdout


def _program(environ: Mapping[str, str]) -> Path:
    found = real_az(environ)
    if found is None:
        raise CommandError(
            "AzNotFound",
            "There is no Azure CLI on PATH. Get it with `pip install azure-cli`, best in a venv of "
            "its own, or as a package of your system. Without it, `lazulite az-shim DIR` writes an "
            "`az` that knows the words of az that lazulite has.",
        )
    return found


def _clouds(az: Az) -> list[str]:
    return [str(each["name"]) for each in json.loads(az.run(["cloud", "list"]))]


def _trusted(connection: Connection, environ: Mapping[str, str]) -> dict[str, str]:
    """The bundle with the public authorities, if the server is this machine's."""
    server = read_server(connection.data_dir)
    known = server.get("ca_bundle") if server.get("url") == connection.url else None
    bundle = known or environ.get("REQUESTS_CA_BUNDLE") or environ.get("SSL_CERT_FILE")
    return dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(bundle)) if bundle else {}


def _told(connection: Connection) -> str:
    """What to do with what was printed; and what will not work here."""
    said = (
        "az is signed in. To use it in this shell, evaluate what was printed: "
        'eval "$(lazulite az-register)"'
    )
    host = urlsplit(connection.url).hostname or ""
    if _is_found(f"account.blob.core.{host}"):
        return said
    return (
        f"{said}\nNames below {host} are not found on this machine, so `az storage blob` finds no"
        f" account by --account-name: use --blob-endpoint {connection.url}/ACCOUNT, or a"
        " --connection-string."
    )


def _is_found(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return True


def _without(environ: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in environ.items() if key != name}
