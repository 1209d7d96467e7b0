"""`ca export` and `ca install`: the server's authority for those who have to trust it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shlex
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from knack.prompting import NoTTYException, prompt_y_n

from lazulite.cli.client_commands import ClientArguments
from lazulite.cli.connection import data_directory, read_server
from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report

FORMS = ("pem", "der")
RELEASE = Path("/etc/os-release")
KEYCHAIN = "/Library/Keychains/System.keychain"

RISK = (
    "Every program of this machine will trust this authority for ANY host, not only the server's"
    " own: whoever reads its key (ca-key.pem, beside it in the data folder) can pass for any site."
)
OPEN = (
    "Scripts of jobs and deployments run here without isolation, so they can read the authority's"
    " key: nothing is changed. Install bubblewrap (docs/isolation.md), have single clients trust it"
    " by `lazulite env`, or use --yes if you trust all code that you deploy."
)


@dataclasses.dataclass(frozen=True)
class Installation:
    """What it takes to have a system trust a certificate."""

    commands: tuple[tuple[str, ...], ...]
    undo: str
    place: Path | None = None
    """Where the certificate is once it is trusted; None: nowhere that can be looked at."""

    def shown(self, before: str = "") -> str:
        """The commands as they are typed; before: such as sudo."""
        return "\n".join(f"  {before}{shlex.join(each)}" for each in self.commands)


def export(arguments: ClientArguments, environ: Mapping[str, str], report: Report) -> None:
    """Print the certificate, or write it to --file, in place of what is there."""
    if arguments.form not in FORMS:
        rule = f"--format {arguments.form!r} is not one of {', '.join(FORMS)}."
        raise CommandError("InvalidArgument", rule)
    pem = authority(data_directory(arguments.data_dir, environ)).read_text()
    content = ssl.PEM_cert_to_DER_cert(pem) if arguments.form == "der" else pem.encode()
    if not arguments.file:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        Path(arguments.file).write_bytes(content)
    except OSError as error:
        raise CommandError("FileNotWritable", f"{arguments.file}: {error.strerror}.") from error
    report.note(f"The certificate is in {arguments.file}.")


def install(arguments: ClientArguments, environ: Mapping[str, str], report: Report) -> None:
    """Have the system trust the authority: its commands are shown, and run if the user agrees.

    A second call finds it installed; one after a failure begins anew. Raises CommandError without
    the rights, naming the commands, and unless told --yes where user code is not isolated, as it
    can read the authority's key.
    """
    data_dir = data_directory(arguments.data_dir, environ)
    certificate = authority(data_dir)
    installation = installation_of(certificate, sys.platform, _release())
    place = installation.place
    if place is not None and place.is_file() and place.read_bytes() == certificate.read_bytes():
        report.note(f"This machine trusts {certificate} already, as {place}.")
        return
    if os.geteuid() != 0:
        raise CommandError(
            "PermissionDenied",
            f"Only root can change what this machine trusts. {RISK}\nRun:\n"
            + installation.shown("sudo "),
        )
    isolation = read_server(data_dir).get("isolation") or {}
    _agree(installation, arguments, is_open=isolation.get("level") == "none")
    _carry_out(installation)
    report.note(
        "This machine trusts the server now. Programs that run have to start again; Python's"
        " requests looks at REQUESTS_CA_BUNDLE instead (`lazulite env`)."
        f" To undo: {installation.undo}"
    )


def authority(data_dir: Path) -> Path:
    """The certificate of the server's authority. Raises CommandError if there is none yet."""
    known = read_server(data_dir).get("ca_file")
    place = Path(known) if known else data_dir / "certificates" / "ca.pem"
    if not place.is_file():
        raise CommandError(
            "CertificateNotFound",
            f"There is no {place}: `lazulite up` makes it when it first starts on a data folder.",
        )
    return place


def installation_of(certificate: Path, platform: str, release: Mapping[str, str]) -> Installation:
    """How a system does it. release: its os-release. Raises CommandError for one not known."""
    print_ = hashlib.sha256(certificate.read_bytes()).hexdigest()[:8]  # several servers, one store
    if platform == "darwin":
        trust = ("security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", KEYCHAIN)
        undo = f"sudo security remove-trusted-cert -d {shlex.quote(str(certificate))}"
        return Installation(((*trust, str(certificate)),), undo)
    systems = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    if not systems.isdisjoint({"debian", "ubuntu"}):
        place = Path(f"/usr/local/share/ca-certificates/lazulite-{print_}.crt")
        return _copied(certificate, place, ("update-ca-certificates",), " --fresh")
    if not systems.isdisjoint({"fedora", "rhel", "centos"}):
        place = Path(f"/etc/pki/ca-trust/source/anchors/lazulite-{print_}.pem")
        return _copied(certificate, place, ("update-ca-trust", "extract"), "")
    raise CommandError(
        "SystemNotKnown",
        f"How {release.get('PRETTY_NAME', platform)} is told to trust a certificate is not known"
        f" here: import {certificate} as your system has it, or use what `lazulite env` prints.",
    )


def _copied(certificate: Path, place: Path, update: tuple[str, ...], fresh: str) -> Installation:
    copy = ("install", "-m", "0644", str(certificate), str(place))
    return Installation((copy, update), f"sudo rm {place}; sudo {shlex.join(update)}{fresh}", place)


def _agree(installation: Installation, arguments: ClientArguments, *, is_open: bool) -> None:
    """Show the risk and the commands; go on if the user says so. Raises CommandError.

    is_open: user code can read the authority's key.
    """
    print(f"{RISK}\nTo run:\n{installation.shown()}", file=sys.stderr, flush=True)
    if arguments.is_agreed:
        return
    if is_open:
        raise CommandError("NotConfirmed", OPEN)
    try:
        agreed = prompt_y_n("Run these commands?", default="n")
    except NoTTYException as error:
        rule = "Nobody can be asked, as there is no terminal: nothing is changed. Use --yes."
        raise CommandError("NotConfirmed", rule) from error
    if not agreed:
        raise CommandError("NotConfirmed", "Nothing is changed.")


def _carry_out(installation: Installation) -> None:
    """All commands or none: a copy that nothing reads yet would look like trust to a next call."""
    try:
        for command in installation.commands:
            _run(command)
    except BaseException:
        if installation.place is not None:
            installation.place.unlink(missing_ok=True)
        raise


def _run(command: tuple[str, ...]) -> None:
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CommandError("TrustFailed", f"`{shlex.join(command)}` failed: {error}.") from error


def _release() -> dict[str, str]:
    """The fields of os-release; {} where there is none, as on macOS."""
    try:
        lines = RELEASE.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: " ".join(shlex.split(value)) for name, _, value in pairs}
