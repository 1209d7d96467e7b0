"""The server as clients see it: does it answer, and do they trust its certificate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http, Request
from lazulite.doctor.finding import Finding, Status

SOON = timedelta(days=14)
VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def answer(server: dict[str, Any] | None) -> Finding:
    """Whether a server answers, over HTTPS and with the certificate that it told us."""
    if server is None:
        return Finding(check="server", status=Status.OK, found="not running; start it: lazulite up")
    where = f"{server['url']}/metadata/endpoints?api-version=2019-05-01"
    http = Http(Path(server["ca_file"]))
    try:
        http.send(Request(method="GET", url=where))
    except CommandError as error:
        return Finding(
            check="server",
            status=Status.MISSING,
            found=error.message,
            purpose="everything",
            remedy="Look at server.log in the data folder; `lazulite down`, then `lazulite up`.",
            is_needed=True,
        )
    finally:
        http.close()
    return Finding(check="server", status=Status.OK, found=f"answers at {server['url']}")


def certificate(data: Path, now: datetime) -> Finding:
    """How long the server's own certificate is valid."""
    path = data / "certificates/ca.pem"
    try:
        authority = x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        found = "none yet: the first start makes one"
        return Finding(check="certificate", status=Status.OK, found=found)
    except ValueError as error:
        return _bad(f"{path} is no certificate: {error}")
    end = authority.not_valid_after_utc
    if end - now < SOON:
        return _bad(f"the authority {path} ends on {end:%Y-%m-%d}")
    found = f"the authority {path} is valid until {end:%Y-%m-%d}"
    return Finding(check="certificate", status=Status.OK, found=found)


def trust(env: Mapping[str, str], server: dict[str, Any] | None) -> Finding:
    """Whether az, azure-ai-ml and curl of this shell trust the running server."""
    if server is None:
        return Finding(check="ca trust", status=Status.OK, found="nothing to trust: no server runs")
    authority = Path(server["ca_file"]).read_text().strip()
    wrong = [name for name in VARIABLES if authority not in _text(env.get(name, ""))]
    if not wrong:
        return Finding(check="ca trust", status=Status.OK, found="this shell's clients trust it")
    return Finding(
        check="ca trust",
        status=Status.WARNING,
        found=f"{' and '.join(wrong)} do not name the server's authority",
        purpose="az, azure-ai-ml and curl in this shell",
        remedy='Say `eval "$(lazulite env)"`.',
    )


def _bad(found: str) -> Finding:
    return Finding(
        check="certificate",
        status=Status.WARNING,
        found=found,
        purpose="HTTPS",
        remedy="Remove the folder `certificates` and start the server: it makes new ones.",
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError):
        return ""
