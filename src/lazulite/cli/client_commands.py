"""Commands that point other clients at a server: az, and what reads the system's certificates."""

from __future__ import annotations

import dataclasses

from lazulite.cli.arguments import DATA_DIR, option
from lazulite.cli.commands import Command


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClientArguments:
    """What the user gave; an option left out has its default."""

    folder: str = option(
        "--folder", help="Folder for az's settings. Default: az in the data folder."
    )
    shell: str = option(
        "--shell", help="bash, fish or powershell: for which shell to print.", default="bash"
    )
    file: str = option("--file", "-f", help="File to write the certificate to; else it is printed.")
    form: str = option("--format", help="pem or der.", default="pem")
    is_agreed: bool = option("--yes", "-y", help="Do not ask.", default=False)
    data_dir: str = option("--data-dir", help=DATA_DIR)


CLIENTS = (
    Command(
        "az-register",
        "az_cloud#register",
        "Register the server with the Azure CLI, sign in, and print what a shell needs for az.",
        "folder shell",
    ),
    Command(
        "ca export",
        "trust_store#export",
        "Print or write the certificate of the server's authority.",
        "file form",
    ),
    Command(
        "ca install",
        "trust_store#install",
        "Have this machine trust the server's authority.",
        "is_agreed",
    ),
)
"""Functions of lazulite.cli's modules: called with ClientArguments, the environment, a report."""
CLIENT_GROUPS = {"ca": "The authority that signs the server's certificate."}
